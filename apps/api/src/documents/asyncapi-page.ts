import type { AsyncApiDocument, MessageObject } from './asyncapi-document.js';
import { escapeHtml, htmlPage } from './page-style.js';

/** The AsyncAPI document for people: each event with its purpose, an example, and its schema folded away. */
export function asyncApiPage(document: AsyncApiDocument): string {
  const { messages, schemas } = document.components;
  const of = (direction: string): [string, MessageObject][] =>
    Object.entries(messages).filter(([key]) => key.startsWith(`${direction}.`));
  const body = `<header>
<h1>The socket</h1>
<p class="quiet">Socket.IO, protocol 5, path <code>/socket.io</code>; handshake <code>auth: {token, deviceId}</code>. Every event of a client is answered through its acknowledgement callback.</p>
<p><a href="/">Start</a> · <a href="/asyncapi.json">asyncapi.json</a> · <a href="/docs">REST API</a></p>
</header>
<h2>Handshake</h2>
${['handshake', 'connect_error'].map((key) => eventSection(key, messages[key] as MessageObject, undefined)).join('\n')}
<h2>Client to server</h2>
${links(of('client'))}
${of('client')
  .map(([key, message]) => eventSection(key, message, messages[key.replace('client.', 'answer.')]))
  .join('\n')}
<h2>Server to client</h2>
${links(of('server'))}
${of('server')
  .map(([key, message]) => eventSection(key, message, undefined))
  .join('\n')}
<h2>Schemas</h2>
${Object.entries(schemas)
  .map(([id, schema]) => folded(`schema.${id}`, id, schema))
  .join('\n')}`;
  return htmlPage('Parley socket events', body);
}

function links(entries: [string, MessageObject][]): string {
  const anchors = entries.map(([key, { name }]) => `<a href="#${escapeHtml(key)}">${escapeHtml(name)}</a>`);
  return `<nav>${anchors.join('')}</nav>`;
}

function eventSection(key: string, message: MessageObject, answer: MessageObject | undefined): string {
  return `<section class="event" id="${escapeHtml(key)}">
<h3>${escapeHtml(message.name)}</h3>
<p>${escapeHtml(message.summary)}</p>
${examplesOf(message)}${answer ? `<p class="quiet">Answer</p>${examplesOf(answer)}` : ''}
${folded(`${key}.schema`, 'Schema', message.payload)}${answer ? folded(`${key}.answer`, 'Schema of the answer', answer.payload) : ''}
</section>`;
}

function examplesOf({ examples }: MessageObject): string {
  return examples.map(({ payload }) => `<pre>${pretty(payload)}</pre>`).join('');
}

function folded(id: string, title: string, value: unknown): string {
  return `<details id="${escapeHtml(id)}"><summary>${escapeHtml(title)}</summary><pre>${pretty(value)}</pre></details>`;
}

/** References become links to the schema that they name. */
function pretty(value: unknown): string {
  return escapeHtml(JSON.stringify(value, null, 2)).replace(
    /#\/components\/schemas\/(\w+)/g,
    '<a href="#schema.$1">$1</a>',
  );
}
