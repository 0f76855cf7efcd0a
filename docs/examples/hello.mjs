// Two people, one message. Start the server, then: node docs/examples/hello.mjs [address of the server]
import { io } from 'socket.io-client';

const server = process.argv[2] ?? 'http://127.0.0.1:3000';

async function post(path, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${server}/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return response.json();
}

const account = (name) => ({ username: `${name}-${Date.now()}`, password: 'correct horse battery', displayName: name });
const [ada, ben] = [await post('/auth/signup', account('ada')), await post('/auth/signup', account('ben'))];
const group = { type: 'group', name: 'Engine room', memberIds: [ben.user.userId] };
const { conversationId } = await post('/conversations', group, ada.accessToken);

const open = ({ accessToken }) => io(server, { auth: { token: accessToken, deviceId: crypto.randomUUID() } });
const [adas, bens] = [open(ada), open(ben)];
const received = new Promise((resolve) => bens.once('new_message', resolve));
await Promise.all([adas, bens].map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
const hello = { conversationId, content: 'Hello', clientMsgId: crypto.randomUUID() };
console.log('ada was answered', await adas.emitWithAck('send_message', hello));

const { seq, content } = await received;
console.log('ben received', { seq, content });
for (const socket of [adas, bens]) socket.close();
