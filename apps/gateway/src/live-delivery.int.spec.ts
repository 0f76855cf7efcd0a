import { randomUUID } from 'node:crypto';
import type { LiveEvent } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { LANE_EVENTS_MAX } from './live/live-delivery.js';
import { CONVERSATION, messageOf, startTestGateway, type TestGateway } from './testing/gateway-testing.js';
import { clientsOf, seqsOf as seqs, settled } from './testing/raw-clients.js';

let gateway: TestGateway;
const client = clientsOf(() => gateway);
const SENDER = randomUUID();
const publish = (...events: LiveEvent[]): void => void gateway.broadcast.publish(events);
const placed = <Type extends LiveEvent['type'], Rest>(type: Type, rest: Rest) => ({
  type,
  conversationId: CONVERSATION,
  membershipEpoch: gateway.reader.epoch,
  ...rest,
});
beforeAll(async () => {
  gateway = await startTestGateway({ RATE_LIMITS: 'off' });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.reader.gate = null;
  gateway.reader.failing = false;
  gateway.reader.heads = [];
  gateway.reader.messages = [];
});

describe('a message', () => {
  it('reaches every device of every member but the socket that sent it', async () => {
    const [anna, phone, ben, stranger] = [await client(SENDER), await client(SENDER), await client(), await client()];
    gateway.reader.setMembers([SENDER, ben.userId]);
    const [origin] = gateway.app.get(ConnectionRegistry, { strict: false }).ofUser(SENDER);
    const message = messageOf(1, SENDER, 'Grüße 👋 "quoted" \u2028');
    gateway.publishSent(message, origin?.id);
    expect(await ben.hears('new_message')).toEqual([message]);
    expect(await phone.hears('new_message')).toEqual([message]);
    await settled(anna, stranger);
    expect([anna.heard('new_message'), stranger.heard('new_message')]).toEqual([[], []]);
  });

  it('reaches a polling client too', async () => {
    const { io } = await import('socket.io-client');
    const userId = randomUUID();
    const auth = { token: `user:${userId}`, deviceId: randomUUID() };
    const polling = io(gateway.url, { auth, transports: ['polling'], forceNew: true });
    await new Promise<void>((resolve) => polling.once('connect', resolve));
    gateway.reader.setMembers([userId]);
    const arrived = new Promise((resolve) => polling.once('new_message', resolve));
    gateway.publishSent(messageOf(1, SENDER, 'Grüße 👋'));
    expect(await arrived).toEqual(messageOf(1, SENDER, 'Grüße 👋'));
    polling.disconnect();
  });

  it('of any size keeps its bytes', async () => {
    const ben = await client();
    gateway.reader.setMembers([ben.userId]);
    const contents = [1, 60, 70, 80, 30_000, 65_000, 65_100, 70_000].map((length) => '€x'.repeat(length));
    contents.forEach((content, n) => gateway.publishSent(messageOf(n + 1, SENDER, content)));
    const heard = (await ben.hears('new_message', contents.length)) as { content: string }[];
    expect(heard.map(({ content }) => content)).toEqual(contents);
  });

  it('from before a member joined does not reach it, nor do its changes and receipts', async () => {
    const [ben, carl] = [await client(), await client()];
    gateway.reader.setMembers([ben.userId, carl.userId]);
    gateway.reader.members.set(carl.userId, { role: 'member', visibleFromSeq: 5, joinedEpoch: 1 });
    const mark = { seq: 4, messageId: messageOf(4, SENDER).messageId };
    for (const seq of [4, 5]) gateway.publishSent(messageOf(seq, SENDER));
    publish(
      placed('message-changed', { message: messageOf(4, SENDER) }),
      placed('marks-advanced', { memberCount: 2, marks: [{ userId: SENDER, delivered: mark, read: mark }] }),
    );
    await ben.hears('read_receipt');
    await settled(carl);
    expect([seqs(ben), seqs(carl)]).toEqual([[4, 5], [5]]);
    for (const event of ['message_updated', 'delivery_receipt', 'read_receipt']) {
      expect([event, ben.heard(event).length, carl.heard(event).length]).toEqual([event, 1, 0]);
    }
  });
});

describe('membership', () => {
  it('is read again before an event of a newer epoch is delivered, and the order is kept meanwhile', async () => {
    const [ben, gone] = [await client(), await client()];
    gateway.reader.setMembers([ben.userId, gone.userId]);
    gateway.publishSent(messageOf(1, SENDER));
    await gone.hears('new_message');
    // The removal itself is lost on its way; only a later message tells of the newer epoch.
    gateway.reader.setMembers([ben.userId]);
    let open = (): void => {};
    gateway.reader.gate = new Promise((resolve) => (open = resolve));
    for (let seq = 2; seq <= 20; seq++) gateway.publishSent(messageOf(seq, SENDER));
    await settled(ben);
    expect(seqs(ben)).toEqual([1]);
    open();
    await ben.hears('new_message', 20);
    await settled(gone);
    expect(seqs(ben)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect(seqs(gone)).toEqual([1]);
  });

  it('that cannot be read lets nothing through, and delivery goes on when it can', async () => {
    const [ben, gone] = [await client(), await client()];
    gateway.reader.setMembers([ben.userId, gone.userId]);
    gateway.publishSent(messageOf(1, SENDER));
    await gone.hears('new_message');
    gateway.reader.setMembers([ben.userId]);
    gateway.reader.failing = true;
    gateway.publishSent(messageOf(2, SENDER));
    await settled(ben, gone);
    gateway.reader.failing = false;
    gateway.publishSent(messageOf(3, SENDER));
    await ben.hears('new_message', 2);
    await settled(gone);
    expect([seqs(ben), seqs(gone)]).toEqual([[1, 3], [1]]);
  });

  it('waits for no more than a bounded number of events', async () => {
    const ben = await client();
    gateway.reader.setMembers([ben.userId]);
    let open = (): void => {};
    gateway.reader.gate = new Promise((resolve) => (open = resolve));
    for (let seq = 1; seq <= LANE_EVENTS_MAX + 50; seq++) gateway.publishSent(messageOf(seq, SENDER));
    open();
    await ben.hears('new_message', LANE_EVENTS_MAX);
    gateway.reader.gate = null;
    await settled(ben);
    expect(seqs(ben)).toEqual(Array.from({ length: LANE_EVENTS_MAX }, (_, n) => n + 1));
  });

  it('changes are told to each in their own way, and nothing follows a removal', async () => {
    const [ben, gone, fresh] = [await client(), await client(), await client()];
    gateway.reader.setMembers([ben.userId, gone.userId]);
    gateway.publishSent(messageOf(1, SENDER));
    await gone.hears('new_message');
    gateway.reader.setMembers([ben.userId, fresh.userId], 2);
    const change = { rev: 9, added: [fresh.userId], removed: [gone.userId], roles: {} };
    publish(placed('members-changed', change));
    gateway.publishSent(messageOf(2, SENDER));
    expect(await gone.hears('conversation_removed')).toEqual([{ conversationId: CONVERSATION }]);
    expect(await fresh.hears('conversation_created')).toMatchObject([{ visibleFromSeq: 2 }]);
    const member = { userId: fresh.userId, displayName: 'New', role: 'member' };
    expect(await ben.hears('members_changed')).toEqual([{ ...change, conversationId: CONVERSATION, added: [member] }]);
    await fresh.hears('new_message');
    await settled(gone);
    expect(gone.socket.texts.at(-2)).toContain('conversation_removed');
    expect(fresh.socket.texts.findIndex((text) => text.includes('conversation_created'))).toBeLessThan(
      fresh.socket.texts.findIndex((text) => text.includes('new_message')),
    );
    expect(fresh.heard('members_changed')).toEqual([]);
  });

  it('ends even when the members cannot be read', async () => {
    const gone = await client();
    gateway.reader.setMembers([gone.userId]);
    gateway.reader.failing = true;
    publish({ ...placed('members-changed', { rev: 2, added: [], removed: [gone.userId], roles: {} }) });
    expect(await gone.hears('conversation_removed')).toHaveLength(1);
  });

  it('of a new conversation is shown to each member as they see it', async () => {
    const [ben, carl, late] = [await client(), await client(), await client()];
    gateway.reader.setMembers([ben.userId, carl.userId]);
    publish(placed('conversation-created', { memberIds: [ben.userId, carl.userId, late.userId] }));
    expect(await ben.hears('conversation_created')).toMatchObject([{ conversationId: CONVERSATION }]);
    await carl.hears('conversation_created');
    await settled(late);
    expect(late.heard('conversation_created')).toEqual([]);
  });
});

describe('the other events', () => {
  it('are mapped to the words of the wire', async () => {
    const [anna, ben] = [await client(), await client()];
    gateway.reader.setMembers([anna.userId, ben.userId]);
    publish(
      placed('conversation-renamed', { rev: 7, name: 'Engine room' }),
      placed('typing', { userId: anna.userId, isTyping: true, originConnectionId: null }),
      placed('message-changed', { message: { ...messageOf(1, SENDER), content: 'edited' } }),
    );
    await ben.hears('message_updated');
    expect(ben.heard('conversation_updated')).toEqual([{ conversationId: CONVERSATION, rev: 7, name: 'Engine room' }]);
    const typing = { conversationId: CONVERSATION, userId: anna.userId, isTyping: true };
    expect(ben.heard('typing_indicator')).toEqual([typing]);
    await settled(anna);
    expect(anna.heard('typing_indicator')).toEqual([]);
  });

  it('tell all devices of a sender how an accepted send ended', async () => {
    const [phone, laptop] = [await client(SENDER), await client(SENDER)];
    const base = { type: 'send-settled', userId: SENDER, conversationId: CONVERSATION, clientMsgId: 'c' } as const;
    const at = Date.parse('2026-11-22T10:00:00.000Z');
    publish(
      { ...base, outcome: { status: 'stored', messageId: '7', seq: 1, rev: 2, at } },
      { ...base, outcome: { status: 'rejected', code: 'not_found', detail: 'No such conversation' } },
    );
    const place = { conversationId: CONVERSATION, clientMsgId: 'c' };
    const timestamp = '2026-11-22T10:00:00.000Z';
    const error = { code: 'not_found', status: 404, detail: 'No such conversation', retryable: false };
    for (const device of [phone, laptop]) {
      expect(await device.hears('ack', 2)).toEqual([
        { ...place, status: 'stored', messageId: '7', seq: 1, rev: 2, timestamp },
        { ...place, status: 'rejected', error },
      ]);
    }
  });

  it('receipts go to those whom the size of the conversation allows', async () => {
    const [reader, other] = [await client(), await client()];
    const own = await client(reader.userId);
    gateway.reader.setMembers([reader.userId, other.userId]);
    const mark = { seq: 1, messageId: '11' };
    const marks = [{ userId: reader.userId, delivered: mark, read: mark }];
    publish(placed('marks-advanced', { memberCount: 21, marks }));
    await other.hears('read_receipt');
    expect(await own.hears('read_receipt')).toEqual([
      { conversationId: CONVERSATION, userId: reader.userId, lastReadMessageId: '11' },
    ]);
    expect(other.heard('delivery_receipt')).toEqual([]);
    publish(placed('marks-advanced', { memberCount: 20, marks: [{ userId: reader.userId, delivered: mark }] }));
    expect(await other.hears('delivery_receipt')).toEqual([
      { conversationId: CONVERSATION, userId: reader.userId, lastDeliveredMessageId: '11' },
    ]);
    await settled(own);
    expect(own.heard('delivery_receipt')).toEqual([]);
    gateway.advance(1_001);
    const later = { seq: 2, messageId: '12' };
    publish(placed('marks-advanced', { memberCount: 101, marks: [{ userId: reader.userId, read: later }] }));
    await own.hears('read_receipt', 2);
    await settled(other);
    expect(other.heard('read_receipt')).toHaveLength(1);
  });

  it('show a reader at most once a second, and the last mark in the end', async () => {
    const [reader, other] = [await client(), await client()];
    gateway.reader.setMembers([reader.userId, other.userId]);
    for (let seq = 1; seq <= 30; seq++) {
      const read = { seq, messageId: String(100 + seq) };
      publish(placed('marks-advanced', { memberCount: 2, marks: [{ userId: reader.userId, read }] }));
    }
    await settled(other);
    expect(other.heard('read_receipt')).toMatchObject([{ lastReadMessageId: '101' }]);
    expect(await other.hears('read_receipt', 2)).toMatchObject([
      { lastReadMessageId: '101' },
      { lastReadMessageId: '130' },
    ]);
  });

  it('tell every socket to sync when the broadcast was interrupted', async () => {
    const some = await Promise.all([client(), client(), client()]);
    gateway.broadcast.interrupt();
    for (const each of some) expect(await each.hears('resync')).toEqual([{}]);
  });
});
