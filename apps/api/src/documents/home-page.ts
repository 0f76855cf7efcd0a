import { escapeHtml, htmlPage } from './page-style.js';

const LINKS: [path: string, title: string, text: string][] = [
  ['/', 'Web client', 'Sign up and chat'],
  ['/docs', 'REST API', 'Every route, with examples to try'],
  ['/asyncapi', 'Socket events', 'What clients and the server tell each other'],
  ['/docs-json', 'docs-json', 'OpenAPI 3.1'],
  ['/asyncapi.json', 'asyncapi.json', 'AsyncAPI 3.0'],
  ['/health/live', 'Health', 'Whether this process is up'],
];

const CLIENT = `import { io } from 'socket.io-client';
const socket = io(location.origin, { auth: { token: accessToken, deviceId: crypto.randomUUID() } });
socket.on('new_message', (message) => console.log(message.seq, message.content));
const send = { conversationId, content: 'Hello', clientMsgId: crypto.randomUUID() };
console.log(await socket.emitWithAck('send_message', send));`;

/** What this server is, and where its users and those who write clients for it go on. */
export const HOME_PAGE = htmlPage(
  'Parley',
  `<main>
<h1>Parley</h1>
<p>A chat server. It stores each message once, keeps one order for everyone, and delivers it live.</p>
<ul class="cards">
${LINKS.map(([path, title, text]) => `<li><a href="${path}"><strong>${escapeHtml(title)}</strong><span>${escapeHtml(text)}</span></a></li>`).join('\n')}
</ul>
<h2>A client in five lines</h2>
<p class="quiet">The token is that of <code>POST /v1/auth/signup</code>, the conversation that of <code>POST /v1/conversations</code>.</p>
<pre>${escapeHtml(CLIENT)}</pre>
</main>`,
);
