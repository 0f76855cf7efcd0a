import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { targetOf } from '../../../test/faults/tcp-proxy.js';
import { TestUser } from '../../../test/clients/test-user.js';
import { connect, keyValueStore, memoryStore, type ParleyClient, type ParleyConversation } from './index.js';
import { openSocketLink } from './socket-link.js';
import type { OpenLink, ServerEvent } from './ports.js';
import { placed, SdkTrial, until, untilConnection } from './testing/sdk-trial.js';

let trial: SdkTrial;
let writer: TestUser;
const unhandled: unknown[] = [];
const note = (cause: unknown) => unhandled.push(cause);
beforeAll(async () => {
  process.on('unhandledRejection', note);
  trial = await SdkTrial.start();
  writer = await TestUser.signUp(trial.app.url, 'Wanda');
});
beforeEach(() => trial.proxy.heal());
afterAll(async () => {
  await trial.stop();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
  expect(trial.faults).toEqual([]);
});

/** A reader behind the proxy in a group where the writer, who is not behind it, writes. */
async function reader(openLink?: OpenLink) {
  const person = await trial.person('Rita', openLink ? { openLink } : {});
  const group = await writer.rest.call('POST', '/v1/conversations', {
    body: { type: 'group', memberIds: [person.client.userId], name: 'Faults' },
  });
  const { conversationId } = group.json as { conversationId: string };
  const chat = await person.client.conversation(conversationId);
  await watched(chat);
  return { ...person, conversationId, chat };
}

async function watched(chat: ParleyConversation): Promise<void> {
  onTestFinished(chat.subscribe(() => {}));
  chat.on('timeline', (items) => {
    const seqs = placed(items).map(({ seq }) => seq);
    if (seqs.some((seq, i) => i > 0 && seq !== (seqs[i - 1] ?? 0) + 1)) note(new Error(`A hole: ${seqs.join()}`));
  });
  await until(chat, () => chat.isLoaded, 'loaded');
}

async function expectHistory(chat: ParleyConversation): Promise<void> {
  const history = await trial.history(writer, chat.id);
  await until(chat, (items) => placed(items).length >= history.length, `${history.length} messages long`);
  expect(placed(chat.timeline)).toEqual(history);
}

/** The real connection, with something between it and the client. */
function altered(alter: (event: ServerEvent, pass: (event: ServerEvent) => void) => void): OpenLink {
  return (target, listener, timeoutMs) =>
    openSocketLink(target, { ...listener, event: (event) => alter(event, (one) => listener.event(one)) }, timeoutMs);
}

describe('a timeline equals the history', () => {
  it('when events come in another order, twice, or not at all', async () => {
    let count = 0;
    const held: (() => void)[] = [];
    const openLink = altered((event, pass) => {
      if (event.name !== 'new_message') return pass(event);
      count++;
      if (count % 7 === 3) return;
      if (count % 5 === 0) pass(event);
      if (count % 3 === 0) return void held.push(() => pass(event));
      pass(event);
      for (const late of held.splice(0)) late();
    });
    const { chat } = await reader(openLink);
    await writer.sendMany(chat.id, 40);
    await expectHistory(chat);
    expect(count).toBeGreaterThanOrEqual(40);
  });

  it('after 250 messages were missed', async () => {
    const { client, chat } = await reader();
    await writer.send(chat.id, 'before');
    await until(chat, (items) => items.length === 1);
    trial.proxy.refuse();
    trial.proxy.cut();
    await untilConnection(client, 'waiting');
    for (let i = 0; i < 10; i++) {
      await Promise.all(Array.from({ length: 25 }, (_, j) => writer.send(chat.id, `missed ${i} ${j}`)));
    }
    await trial.proxy.heal();
    client.reconnect();
    await expectHistory(chat);
    expect(chat.timeline).toHaveLength(251);
  });

  it('when the connection is cut again and again in the middle of messages both ways', async () => {
    const { client, chat } = await reader();
    trial.proxy.toServer.delay(5);
    trial.proxy.toClient.delay(5);
    const theirs = writer.sendMany(chat.id, 60);
    for (let i = 0; i < 30; i++) {
      await chat.send(`mine ${i}`);
      if (i % 6 === 5) {
        trial.proxy.cut();
        await untilConnection(client, 'waiting');
        client.reconnect();
        await untilConnection(client, 'connected');
      }
    }
    await theirs;
    await until(chat, (items) => items.every(({ status }) => status !== 'sending'), 'sent');
    await expectHistory(chat);
    const mine = placed(chat.timeline).filter(({ content }) => content.startsWith('mine'));
    expect(mine.map(({ content }) => content)).toEqual(Array.from({ length: 30 }, (_, i) => `mine ${i}`));
  });

  it('when the network swallows everything and a device wakes up from it', async () => {
    const { client, chat } = await reader();
    trial.proxy.silence();
    await writer.send(chat.id, 'unheard');
    await chat.send('said into nothing');
    client.reconnect();
    await untilConnection(client, 'waiting');
    trial.proxy.cut();
    await trial.proxy.heal();
    client.reconnect();
    await until(chat, (items) => items.length === 2 && items.every(({ seq }) => seq !== null));
    await expectHistory(chat);
  });

  it('of what may be seen, after somebody was taken out and came back', async () => {
    const { client, chat } = await reader();
    await writer.send(chat.id, 'before');
    await until(chat, (items) => items.length === 1);
    const removed = new Promise((done) => chat.on('removed', done));
    await writer.members(chat.id, { remove: [client.userId] });
    await removed;
    await writer.send(chat.id, 'unseen');
    const added = new Promise<void>((done) => {
      const stop = client.on('conversations', (all) => {
        if (!all.some(({ conversationId }) => conversationId === chat.id)) return;
        stop();
        done();
      });
    });
    await writer.members(chat.id, { add: [client.userId] });
    await added;
    const again = await client.conversation(chat.id);
    onTestFinished(again.subscribe(() => {}));
    await writer.send(chat.id, 'after');
    await until(again, (items) => items.length === 1);
    expect(again.timeline.map(({ content }) => content)).toEqual(['after']);
  });
});

describe('messages written without a connection', () => {
  it('show at once, survive a reload, and arrive once and in their order', async () => {
    const values = new Map<string, string>();
    const storage = {
      getItem: (key: string) => values.get(key) ?? null,
      setItem: (key: string, value: string) => void values.set(key, value),
      removeItem: (key: string) => void values.delete(key),
      getAllKeys: () => [...values.keys()],
    };
    const user = await TestUser.signUp(trial.app.url);
    const group = await user.group([writer]);
    const start = () =>
      connect({
        url: trial.proxy.url,
        token: user.session.accessToken,
        userId: user.userId,
        store: keyValueStore(storage, user.userId),
      });
    const first = trial.kept(await start());
    const chat = await first.conversation(group.conversationId);
    await watched(chat);
    await user.send(group.conversationId, 'earlier');
    await until(chat, (items) => items.length === 1);
    trial.proxy.refuse();
    trial.proxy.cut();
    for (let i = 1; i <= 3; i++) await chat.send(`offline ${i}`);
    expect(chat.timeline.map(({ status }) => status)).toEqual(['sent', 'sending', 'sending', 'sending']);
    await first.close();

    const second = trial.kept(await start());
    const again = await second.conversation(group.conversationId);
    onTestFinished(again.subscribe(() => {}));
    // Without any network: from what was kept.
    await until(again, (items) => items.length === 4);
    expect(again.timeline.map(({ content }) => content)).toEqual(['earlier', 'offline 1', 'offline 2', 'offline 3']);
    await trial.proxy.heal();
    second.reconnect();
    await until(again, (items) => items.every(({ status }) => status === 'sent'));
    const { items } = await user.history(group.conversationId);
    expect(items.map(({ content }) => content).reverse()).toEqual(['earlier', 'offline 1', 'offline 2', 'offline 3']);
  });

  it('are sent by one of two tabs that share a store, and by the other when that one is gone', async () => {
    const sends: string[] = [];
    const counting: OpenLink = async (target, listener, timeoutMs) => {
      const link = await openSocketLink(target, listener, timeoutMs);
      return {
        close: () => link.close(),
        ask: (name, payload, waitMs) => {
          if (name === 'send_message') sends.push((payload as { content?: string }).content ?? '');
          return link.ask(name, payload, waitMs);
        },
      };
    };
    const user = await TestUser.signUp(trial.app.url);
    const group = await user.group([writer]);
    const store = memoryStore();
    const open = () =>
      connect({
        url: trial.proxy.url,
        token: user.session.accessToken,
        store,
        userId: user.userId,
        openLink: counting,
      });
    const tabs: ParleyClient[] = [trial.kept(await open()), trial.kept(await open())];
    const [one, two] = await Promise.all(tabs.map((tab) => tab.conversation(group.conversationId)));
    if (!one || !two) throw new Error('Two tabs');
    await watched(one);
    await watched(two);
    trial.proxy.refuse();
    trial.proxy.cut();
    // What is sent into a connection that is dead and does not know it yet is sent again; that is another test.
    await Promise.all(tabs.map((tab) => untilConnection(tab, 'waiting')));
    await one.send('from the first tab');
    await two.send('from the second tab');
    await tabs[0]?.close();
    await trial.proxy.heal();
    tabs[1]?.reconnect();
    await until(two, (items) => placed(items).length === 2);
    const { items } = await user.history(group.conversationId);
    expect(items.map(({ content }) => content).sort()).toEqual(['from the first tab', 'from the second tab']);
    expect([...sends].sort()).toEqual(['from the first tab', 'from the second tab']);
  });
});

describe('a message that cannot be sent', () => {
  it('fails with the reason, stays readable, and holds up neither the connection nor the next one', async () => {
    const { client, chat } = await reader();
    const states: string[] = [];
    onTestFinished(client.on('connection', ({ status }) => states.push(status)));
    await chat.send('x'.repeat(4_000_000));
    await chat.send('lone \ud800 surrogate');
    await chat.send('😀'.repeat(100_001));
    await chat.send('😀'.repeat(100_000));
    await until(
      chat,
      (items) => items.length === 4 && items.every(({ status }) => status === 'failed' || status === 'sent'),
    );
    const [sent, ...failed] = chat.timeline;
    expect(sent?.content).toBe('😀'.repeat(100_000));
    expect(failed.map(({ failure }) => failure?.code)).toEqual(Array(3).fill('validation_failed'));
    expect(failed.map(({ content }) => content.length)).toEqual([4_000_000, 16, 200_002]);
    expect(states).toEqual([]);
    await expectHistory(chat);
  });
});

describe('a connection', () => {
  it('comes back from a storm of cuts without opening more than one at a time', async () => {
    const { client, chat } = await reader();
    const before = trial.proxy.acceptedCount;
    for (let i = 0; i < 10; i++) {
      trial.proxy.cut();
      client.reconnect();
      client.reconnect();
      client.reconnect();
    }
    await untilConnection(client, 'connected');
    await writer.send(chat.id, 'after the storm');
    await expectHistory(chat);
    expect(trial.proxy.acceptedCount - before).toBeLessThan(40);
    expect(client.connectionState.status).toBe('connected');
  });

  it('goes on over a restart of the server', async () => {
    const { client, chat } = await reader();
    await chat.send('before');
    await until(chat, (items) => items.at(-1)?.seq != null);
    const restarted = trial.app.restart();
    await chat.send('meanwhile');
    trial.proxy.aimAt(targetOf(await restarted));
    client.reconnect();
    await until(chat, (items) => items.length === 2 && items.every(({ seq }) => seq !== null));
    expect(chat.timeline.map(({ content }) => content)).toEqual(['before', 'meanwhile']);
  });
});
