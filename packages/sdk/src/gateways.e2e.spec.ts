import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { TestApp } from '../../../test/clients/test-app.js';
import { freshName, PASSWORD } from '../../../test/clients/test-user.js';
import { targetOf, TcpProxy } from '../../../test/faults/tcp-proxy.js';
import { memoryStore, signUp, type ParleyClient, type ParleyConversation } from './index.js';
import { openSocketLink } from './socket-link.js';
import { until, untilConnection } from './testing/sdk-trial.js';

/** The real server, which names two gateways: it is reached by way of each of them, and they fail one by one. */
let app: TestApp;
let gateways: TcpProxy[];
beforeAll(async () => {
  const nobody = { host: '127.0.0.1', port: 1 };
  gateways = [await TcpProxy.start(nobody), await TcpProxy.start(nobody)];
  app = await TestApp.start({ GATEWAY_URLS: gateways.map(({ url }) => url).join() });
  for (const gateway of gateways) gateway.aimAt(targetOf(app.url));
});
beforeEach(async () => {
  for (const gateway of gateways) await gateway.heal();
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  await app.stop();
});

/** Somebody with a conversation, and the addresses of the sockets that were opened. */
async function person(): Promise<{ client: ParleyClient; chat: ParleyConversation; opened: string[] }> {
  const opened: string[] = [];
  const client = await signUp({
    url: app.url,
    store: memoryStore(),
    username: freshName(),
    password: PASSWORD,
    displayName: 'Ada',
    openLink: async (target, ...rest) => {
      const link = await openSocketLink(target, ...rest);
      opened.push(target.url);
      return link;
    },
  });
  onTestFinished(() => client.close());
  await untilConnection(client, 'connected');
  const chat = await client.createGroup('Gateways', []);
  onTestFinished(chat.subscribe(() => {}));
  return { client, chat, opened };
}

/** Nobody is let in there any more, and whoever is in is out. */
function fails(...failing: TcpProxy[]): void {
  for (const gateway of failing) {
    gateway.refuse();
    gateway.cut();
  }
}

async function expectSent(chat: ParleyConversation, content: string): Promise<void> {
  await chat.send(content);
  await until(chat, (items) => items.at(-1)?.content === content && items.at(-1)?.status === 'sent');
}

it('a client connects to the gateway that is named for it, and to the next ones when they fail', async () => {
  const { client, chat, opened } = await person();
  const own = gateways.find(({ url }) => url === opened[0]);
  const other = gateways.find((gateway) => gateway !== own);
  if (!own || !other) throw new Error(`Connected to ${opened.join()}`);
  expect(own.connectionCount).toBe(1);
  await expectSent(chat, 'by the named one');
  fails(own);
  await expectSent(chat, 'by its fall-back');
  expect(opened).toEqual([own.url, other.url]);
  fails(other);
  await expectSent(chat, 'by the address that was given');
  expect(opened).toEqual([own.url, other.url, app.url]);
  expect(chat.timeline.map(({ content }) => content)).toEqual([
    'by the named one',
    'by its fall-back',
    'by the address that was given',
  ]);
  expect(client.connectionState.status).toBe('connected');
});

it('a client whose gateway only lost its connections goes back to it', async () => {
  const { client, chat, opened } = await person();
  for (const gateway of gateways) gateway.cut();
  await untilConnection(client, 'waiting');
  client.reconnect();
  await expectSent(chat, 'again');
  expect(opened).toEqual([opened[0], opened[0]]);
});

it('a client connects all the same when its server is too old to name a gateway', async () => {
  const calls: string[] = [];
  const old = await signUp({
    url: app.url,
    store: memoryStore(),
    username: freshName(),
    password: PASSWORD,
    displayName: 'Old',
    fetch: (url, request) => {
      calls.push(url);
      // As a server answers that was made before there was such a call.
      return fetch(url.replace('/v1/connect', '/v1/unknown'), request);
    },
  });
  onTestFinished(() => old.close());
  await untilConnection(old, 'connected');
  expect(calls.filter((url) => url.endsWith('/v1/connect'))).toHaveLength(1);
});
