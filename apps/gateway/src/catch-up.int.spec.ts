import { randomUUID } from 'node:crypto';
import { AcknowledgeDelivery, type LiveEvent } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HeadsPoll } from './live/heads-poll.js';
import { Resender } from './live/resender.js';
import { CONVERSATION, messageOf, startTestGateway, type TestGateway } from './testing/gateway-testing.js';
import { clientsOf, seqsOf as seqs, settled, type Client } from './testing/raw-clients.js';

let gateway: TestGateway;
const client = clientsOf(() => gateway);
const SENDER = randomUUID();
const publish = (event: LiveEvent): void => void gateway.broadcast.publish([event]);
const resend = (): Promise<void> => gateway.app.get(Resender, { strict: false }).sweep();
const poll = (): Promise<void> => gateway.app.get(HeadsPoll, { strict: false }).poll();

beforeAll(async () => {
  gateway = await startTestGateway({ RATE_LIMITS: 'off' });
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.reader.heads = [];
  gateway.reader.messages = [];
});

describe('sending again', () => {
  const ack = (of: Client, id: number, messageId: string): Promise<unknown> =>
    of.emit(id, 'ack', { conversationId: CONVERSATION, messageId });

  beforeEach(() => {
    gateway.domain.on(AcknowledgeDelivery, ({ known }) => known ?? { conversationId: CONVERSATION, seq: 0 });
  });

  async function withTwoSent(): Promise<{ ben: Client; anna: Client }> {
    const [anna, ben] = [await client(), await client()];
    gateway.reader.setMembers([anna.userId, ben.userId]);
    gateway.reader.messages = [1, 2, 3].map((seq) => messageOf(seq, SENDER));
    gateway.reader.lastSeq = 3;
    for (const message of gateway.reader.messages.slice(0, 2)) gateway.publishSent(message);
    await ben.hears('new_message', 2);
    return { anna, ben };
  }

  it('happens after 5, 10 and 20 s to a device that acks, for what it has not acked', async () => {
    const { anna, ben } = await withTwoSent();
    await ack(ben, 1, messageOf(1, SENDER).messageId);
    expect(gateway.domain.of(AcknowledgeDelivery).at(-1)?.known).toEqual({ conversationId: CONVERSATION, seq: 1 });
    for (const [advanceMs, expected] of [
      [4_000, [1, 2]],
      [1_100, [1, 2, 2]],
      [4_000, [1, 2, 2]],
      [1_000, [1, 2, 2, 2]],
      [9_000, [1, 2, 2, 2]],
      [1_000, [1, 2, 2, 2, 2]],
      [60_000, [1, 2, 2, 2, 2]],
    ] as const) {
      gateway.advance(advanceMs);
      await resend();
      await settled(ben);
      expect(seqs(ben)).toEqual(expected);
    }
    await settled(anna);
    expect(seqs(anna)).toEqual([1, 2]);
  });

  it('stops when the ack comes, and begins anew for a later message', async () => {
    const { ben } = await withTwoSent();
    await ack(ben, 1, messageOf(2, SENDER).messageId);
    gateway.advance(30_000);
    await resend();
    gateway.publishSent(messageOf(3, SENDER));
    await ben.hears('new_message', 3);
    await resend();
    gateway.advance(5_100);
    await resend();
    await settled(ben);
    expect(seqs(ben)).toEqual([1, 2, 3, 3]);
  });

  it('shows nothing to a member that has left meanwhile', async () => {
    const { ben, anna } = await withTwoSent();
    await ack(ben, 1, messageOf(1, SENDER).messageId);
    gateway.reader.setMembers([anna.userId]);
    gateway.advance(5_100);
    await resend();
    await settled(ben);
    expect(seqs(ben)).toEqual([1, 2]);
  });

  it('shows nothing to a member that leaves while the messages are read, and forgets what it was sent', async () => {
    const { ben } = await withTwoSent();
    await ack(ben, 1, messageOf(1, SENDER).messageId);
    const read = gateway.reader.read.bind(gateway.reader);
    gateway.reader.read = async (request) => {
      const messages = await read(request);
      const place = { conversationId: CONVERSATION, membershipEpoch: gateway.reader.epoch + 1, rev: 5 };
      gateway.reader.setMembers([]);
      publish({ type: 'members-changed', ...place, added: [], removed: [ben.userId], roles: {} });
      await ben.hears('conversation_removed');
      return messages;
    };
    gateway.advance(5_100);
    await resend();
    gateway.reader.read = read;
    await settled(ben);
    expect(seqs(ben)).toEqual([1, 2]);
    await ack(ben, 2, messageOf(2, SENDER).messageId);
    expect(gateway.domain.of(AcknowledgeDelivery).at(-1)?.known).toBeNull();
  });

  it('tells a device to sync instead that waits for more text than is read at once', async () => {
    const { ben } = await withTwoSent();
    await ack(ben, 1, messageOf(1, SENDER).messageId);
    gateway.publishSent(messageOf(3, SENDER));
    await ben.hears('new_message', 3);
    const read = gateway.reader.read.bind(gateway.reader);
    // Of the two that are not acked only the first fits.
    gateway.reader.read = async (request) => (await read(request)).slice(0, 1);
    gateway.advance(5_100);
    await resend();
    gateway.reader.read = read;
    expect(await ben.hears('resync')).toEqual([{}]);
    expect(seqs(ben)).toEqual([1, 2, 3]);
  });

  it('tells a device that is too far behind to sync instead', async () => {
    const { ben } = await withTwoSent();
    await ack(ben, 1, messageOf(1, SENDER).messageId);
    gateway.reader.lastSeq = 200;
    gateway.publishSent(messageOf(150, SENDER));
    await ben.hears('new_message', 3);
    gateway.advance(5_100);
    await resend();
    expect(await ben.hears('resync')).toEqual([{}]);
  });

  it('knows only messages that this socket was sent', async () => {
    const { ben } = await withTwoSent();
    const stranger = await client();
    await ack(stranger, 1, messageOf(2, SENDER).messageId);
    expect(gateway.domain.of(AcknowledgeDelivery).at(-1)?.known).toBeNull();
    await ben.emit(2, 'ack', { conversationId: randomUUID(), messageId: messageOf(2, SENDER).messageId });
    expect(gateway.domain.of(AcknowledgeDelivery).at(-1)?.known).toBeNull();
    await ben.emit(3, 'ack', { messageId: messageOf(2, SENDER).messageId });
    expect(gateway.domain.of(AcknowledgeDelivery).at(-1)?.known).toEqual({ conversationId: CONVERSATION, seq: 2 });
  });
});

describe('heads', () => {
  const head = (userId: string, removed = false) => ({
    userId,
    conversationId: CONVERSATION,
    lastSeq: 4,
    lastRev: 6,
    removed,
  });

  it('tell each connected user which conversations changed, and ask for no other user', async () => {
    const [ben, carl] = [await client(), await client()];
    gateway.reader.setMembers([ben.userId]);
    gateway.reader.heads = [head(ben.userId), head(randomUUID())];
    await poll();
    expect(await ben.hears('heads')).toEqual([{ heads: [{ conversationId: CONVERSATION, lastSeq: 4, lastRev: 6 }] }]);
    await settled(carl);
    expect(carl.heard('heads')).toEqual([]);
    expect(gateway.reader.headsAskedFor.at(-1)?.sort()).toEqual([ben.userId, carl.userId].sort());
  });

  it('find a removal and a joining that nobody told of, once', async () => {
    const [gone, fresh] = [await client(), await client()];
    gateway.reader.setMembers([gone.userId]);
    gateway.publishSent(messageOf(1, SENDER));
    await gone.hears('new_message');
    gateway.reader.setMembers([fresh.userId]);
    gateway.reader.heads = [head(gone.userId, true), head(fresh.userId)];
    await poll();
    await poll();
    expect(await gone.hears('conversation_removed')).toHaveLength(1);
    await fresh.hears('heads');
    gateway.publishSent(messageOf(2, SENDER));
    await fresh.hears('new_message');
    await settled(gone);
    expect([seqs(gone), seqs(fresh)]).toEqual([[1], [2]]);
    expect(gone.heard('conversation_removed')).toHaveLength(1);
  });

  it('show a conversation that the members known here did not name', async () => {
    const [ben, fresh] = [await client(), await client()];
    gateway.reader.setMembers([ben.userId]);
    gateway.publishSent(messageOf(1, SENDER));
    await ben.hears('new_message');
    gateway.reader.setMembers([ben.userId, fresh.userId]);
    gateway.reader.heads = [head(fresh.userId)];
    await poll();
    expect(await fresh.hears('conversation_created')).toMatchObject([{ conversationId: CONVERSATION }]);
  });

  it('read before a removal are not shown after it', async () => {
    const gone = await client();
    gateway.reader.setMembers([gone.userId]);
    const headsSince = gateway.reader.headsSince.bind(gateway.reader);
    gateway.reader.headsSince = async () => {
      const answer = { position: 'p', heads: [head(gone.userId)] };
      const place = { conversationId: CONVERSATION, membershipEpoch: gateway.reader.epoch, rev: 2 };
      publish({ type: 'members-changed', ...place, added: [], removed: [gone.userId], roles: {} });
      await gone.hears('conversation_removed');
      return answer;
    };
    await poll();
    gateway.reader.headsSince = headsSince;
    await settled(gone);
    expect(gone.heard('heads')).toEqual([]);
  });

  it('that could not be read are asked for again from the same place', async () => {
    const ben = await client();
    gateway.reader.setMembers([ben.userId]);
    gateway.reader.heads = [head(ben.userId)];
    gateway.reader.failing = true;
    await expect(poll()).rejects.toMatchObject({ code: 'store_unavailable' });
    gateway.reader.failing = false;
    await poll();
    expect(await ben.hears('heads')).toHaveLength(1);
  });

  it('come at once when a partition has a new owner', async () => {
    const [ben, other] = [await client(), await client()];
    gateway.reader.setMembers([ben.userId]);
    publish({
      type: 'conversations-moved',
      heads: [{ conversationId: CONVERSATION, lastSeq: 8, lastRev: 9 }],
    });
    expect(await ben.hears('heads')).toEqual([{ heads: [{ conversationId: CONVERSATION, lastSeq: 8, lastRev: 9 }] }]);
    await settled(other);
    expect(other.heard('heads')).toEqual([]);
  });
});
