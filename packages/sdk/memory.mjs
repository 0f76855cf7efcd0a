// What a client keeps in memory and in its store while it is told many messages, with timelines opened and closed all the
// time. Usage, on a server with RATE_LIMITS=off: node --expose-gc packages/sdk/memory.mjs [url] [seconds] [messages a second]
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';

// Built before; where it is not, everything else that looks at this file still can.
const { memoryStore, signUp } = await import(new URL('dist/index.js', import.meta.url).href);

const [url = 'http://127.0.0.1:3000', seconds = '300', rate = '80'] = process.argv.slice(2);
const BUSY = 20;
/** As many timelines that nobody looks at any more are kept up. */
const QUIET = 20;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const account = () => ({
  username: `m${randomUUID().replaceAll('-', '').slice(0, 20)}`,
  password: 'correct horse battery',
  displayName: 'Memory',
});
const fault = (cause) => console.log('fault', String(cause));

if (process.send) await write();
else await watch();

/** Another process: what it needs is not measured. */
async function write() {
  const clients = await Promise.all([1, 2, 3, 4].map(() => signUp({ url, ...account(), onFault: fault })));
  process.send(clients.map(({ userId }) => userId));
  const conversationIds = await new Promise((done) => process.once('message', done));
  const chats = await Promise.all(
    clients.map((client) => Promise.all(conversationIds.map((id) => client.conversation(id)))),
  );
  const startedAt = Date.now();
  let sent = 0;
  while (Date.now() - startedAt < Number(seconds) * 1_000) {
    while (sent < ((Date.now() - startedAt) / 1_000) * Number(rate)) {
      const chat = chats[sent % 4][Math.floor(sent / 4) % BUSY];
      await chat.send(`message ${sent++} ${'words '.repeat(10)}`);
    }
    await pause(20);
  }
  while (clients.some(({ unsentCount }) => unsentCount > 0)) await pause(100);
  process.send(sent);
  await Promise.all(clients.map((client) => client.close()));
  process.disconnect();
}

async function watch() {
  const writer = fork(fileURLToPath(import.meta.url), [url, seconds, rate]);
  const told = () => new Promise((done) => writer.once('message', done));
  const userIds = await told();
  const store = memoryStore();
  const client = await signUp({ url, ...account(), store, onFault: fault });
  const chats = [];
  for (let i = 0; i < BUSY + QUIET; i++) chats.push(await client.createGroup(`group ${i}`, i < BUSY ? userIds : []));
  const look = async (chat, ms) => {
    const end = chat.subscribe(() => {});
    await pause(ms);
    await chat.loadOlder().catch(() => {});
    end();
  };
  const say = async (what) => {
    const keys = await store.keys('');
    const texts = await Promise.all(keys.map((key) => store.get(key)));
    const bytes = texts.reduce((sum, text) => sum + text.length, 0);
    const read = () => chats.reduce((sum, chat) => sum + chat.timeline.length, 0);
    globalThis.gc();
    await pause(50);
    globalThis.gc();
    const heap = (process.memoryUsage().heapUsed / 2 ** 20).toFixed(1);
    const cpu = (process.cpuUsage().user / 1e6).toFixed(1);
    console.log(
      `${what}: heap ${heap} MB, ${read()} messages in timelines, store ${keys.length} keys ${Math.round(bytes / 1024)} KB, CPU ${cpu} s`,
    );
  };
  await say('at the start');
  const ended = told();
  writer.send(chats.slice(0, BUSY).map(({ id }) => id));
  let isOver = false;
  let sent = 0;
  void ended.then((count) => {
    sent = count;
    isOver = true;
  });
  const startedAt = Date.now();
  let minute = 0;
  for (let i = 0; !isOver; i++) {
    // Three at a time are looked at, each for three tenths of a second, about 10 a second.
    await Promise.all([0, 1, 2].map((j) => look(chats[(i * 3 + j) % BUSY], 300)));
    if (Date.now() - startedAt > 60_000 * (minute + 1)) await say(`after ${++minute} min`);
  }
  for (const chat of chats.slice(0, BUSY)) await look(chat, 100);
  await pause(3_000);
  await say(`at the end, ${sent} sent`);
  const last = chats.slice(0, BUSY).map(({ details }) => details.lastSeq);
  console.log(`the server's last numbers add up to ${last.reduce((sum, seq) => sum + seq, 0)}`);
  for (const chat of chats.slice(BUSY)) await look(chat, 100);
  await pause(2_000);
  await say('after others were looked at');
  await client.close();
}
