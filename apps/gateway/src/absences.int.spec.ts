import { randomUUID } from 'node:crypto';
import { type LiveEvent, MembershipDirectory } from '@parley/domain';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HeadsPoll } from './live/heads-poll.js';
import { CONVERSATION, messageOf, sent, startTestGateway, type TestGateway } from './testing/gateway-testing.js';
import { clientsOf, seqsOf as seqs, settled, type Client } from './testing/raw-clients.js';

let gateway: TestGateway;
const client = clientsOf(() => gateway);
const SENDER = randomUUID();
const publish = (...events: LiveEvent[]): void => void gateway.broadcast.publish(events);
const poll = (): Promise<void> => gateway.app.get(HeadsPoll, { strict: false }).poll();
beforeAll(async () => {
  gateway = await startTestGateway({ RATE_LIMITS: 'off' });
  await poll();
});
afterAll(() => gateway.stop());
beforeEach(() => {
  gateway.reader.gate = null;
  gateway.reader.failing = false;
  gateway.reader.heads = [];
});

const place = (membershipEpoch: number) => ({ conversationId: CONVERSATION, membershipEpoch });
const changed = (epoch: number, rev: number, added: string[], removed: string[]): LiveEvent => ({
  type: 'members-changed',
  ...place(epoch),
  rev,
  added,
  removed,
  roles: {},
});
const renamed = (epoch: number, rev: number): LiveEvent => ({
  type: 'conversation-renamed',
  ...place(epoch),
  rev,
  name: `name ${rev}`,
});
const typing = (epoch: number): LiveEvent => ({
  type: 'typing',
  ...place(epoch),
  userId: SENDER,
  isTyping: true,
  originConnectionId: null,
});
const EVENT = /^42\["([a-z_]+)",/;
const told = ({ socket }: Client): string[] => socket.texts.flatMap((text) => EVENT.exec(text)?.[1] ?? []);
const rejoin = (others: readonly string[], userId: string): void => {
  gateway.reader.setMembers(others);
  gateway.reader.setMembers([...others, userId], 2);
};

/** Two devices of a member that leaves and returns, and one who stays; all have had a message. */
async function beginning() {
  const [ben, phone] = [await client(), await client()];
  const laptop = await client(phone.userId);
  gateway.reader.setMembers([ben.userId, phone.userId]);
  gateway.publishSent(messageOf(1, SENDER));
  for (const each of [ben, phone, laptop]) await each.hears('new_message');
  return { ben, phone, laptop, userId: phone.userId, epoch: gateway.reader.epoch };
}

describe('a member that comes back', () => {
  it('hears nothing of its absence, although its return is known before those events are delivered', async () => {
    const { ben, phone, laptop, userId, epoch } = await beginning();
    rejoin([ben.userId], userId);
    const mark = { seq: 1, messageId: messageOf(1, SENDER).messageId };
    publish(
      changed(epoch + 1, 2, [], [userId]),
      renamed(epoch + 1, 3),
      typing(epoch + 1),
      { type: 'message-changed', ...place(epoch + 1), message: { ...messageOf(1, SENDER), rev: 4 } },
      { type: 'marks-advanced', ...place(epoch + 1), memberCount: 1, marks: [{ userId: SENDER, read: mark }] },
      changed(epoch + 2, 5, [userId], []),
      renamed(epoch + 2, 6),
      typing(epoch + 2),
      sent(messageOf(2, SENDER), epoch + 2),
    );
    for (const device of [phone, laptop]) {
      await device.hears('new_message', 2);
      const after = ['conversation_updated', 'typing_indicator', 'new_message'];
      expect(told(device)).toEqual(['new_message', 'conversation_removed', 'conversation_created', ...after]);
      expect(device.heard('conversation_updated')).toMatchObject([{ rev: 6 }]);
    }
    await ben.hears('new_message', 2);
    expect(ben.heard('conversation_updated')).toMatchObject([{ rev: 3 }, { rev: 6 }]);
    expect(ben.heard('members_changed')).toMatchObject([{ rev: 2 }, { rev: 5 }]);
  });

  it('hears nothing of an earlier absence when it has been away twice', async () => {
    const { ben, phone, userId, epoch } = await beginning();
    rejoin([ben.userId], userId);
    rejoin([ben.userId], userId);
    const changes = [changed(epoch + 1, 2, [], [userId]), changed(epoch + 2, 3, [userId], []), renamed(epoch + 2, 4)];
    publish(
      ...changes,
      changed(epoch + 3, 5, [], [userId]),
      renamed(epoch + 3, 6),
      changed(epoch + 4, 7, [userId], []),
    );
    publish(renamed(epoch + 4, 8));
    await phone.hears('conversation_updated');
    const twice = ['conversation_removed', 'conversation_created', 'conversation_removed', 'conversation_created'];
    expect(told(phone)).toEqual(['new_message', ...twice, 'conversation_updated']);
    expect(phone.heard('conversation_updated')).toMatchObject([{ rev: 8 }]);
  });

  it('does not hear of its own marks from before, on its other devices, in a large conversation', async () => {
    const { ben, phone, userId, epoch } = await beginning();
    const mark = { seq: 1, messageId: messageOf(1, SENDER).messageId };
    rejoin([ben.userId], userId);
    publish(
      { type: 'marks-advanced', ...place(epoch), memberCount: 101, marks: [{ userId, read: mark }] },
      sent(messageOf(2, SENDER), epoch + 2),
    );
    await phone.hears('new_message', 2);
    expect(phone.heard('read_receipt')).toEqual([]);
  });

  it('is told so first when the news of it was lost: by what is sent next', async () => {
    const { ben, phone, userId, epoch } = await beginning();
    rejoin([ben.userId], userId);
    publish(changed(epoch + 1, 2, [], [userId]));
    await phone.hears('conversation_removed');
    gateway.publishSent(messageOf(2, SENDER));
    await phone.hears('conversation_created');
    gateway.publishSent(messageOf(3, SENDER));
    await phone.hears('new_message', 2);
    expect(told(phone)).toEqual(['new_message', 'conversation_removed', 'conversation_created', 'new_message']);
    expect(seqs(phone)).toEqual([1, 3]);
  });

  it('is told so first when the news of it was lost: by the next poll of heads', async () => {
    const { ben, phone, userId, epoch } = await beginning();
    rejoin([ben.userId], userId);
    publish(changed(epoch + 1, 2, [], [userId]));
    await phone.hears('conversation_removed');
    gateway.reader.heads = [{ userId, conversationId: CONVERSATION, lastSeq: 2, lastRev: 6, removed: false }];
    await poll();
    await phone.hears('conversation_created');
    await poll();
    await phone.hears('heads');
    expect(told(phone)).toEqual(['new_message', 'conversation_removed', 'conversation_created', 'heads']);
  });
});

describe('a removed member', () => {
  it('hears nothing more by members that were read before its removal', async () => {
    const { ben, phone, userId, epoch } = await beginning();
    const directory = gateway.app.get(MembershipDirectory, { strict: false });
    directory.invalidate(CONVERSATION);
    const gate = Promise.withResolvers<void>();
    gateway.reader.gate = gate.promise;
    publish(renamed(epoch, 2), sent(messageOf(2, SENDER), epoch), typing(epoch));
    gateway.reader.gate = null;
    // Its own event is still on its way, and the poll finds the removal first.
    gateway.reader.setMembers([ben.userId]);
    gateway.reader.heads = [{ userId, conversationId: CONVERSATION, lastSeq: 0, lastRev: 0, removed: true }];
    await poll();
    await phone.hears('conversation_removed');
    gate.resolve();
    await ben.hears('typing_indicator');
    await settled(phone);
    expect(told(phone)).toEqual(['new_message', 'conversation_removed']);
  });
});

describe('a new member', () => {
  it('hears nothing from before its join, although it is known before those events are delivered', async () => {
    const { ben, epoch } = await beginning();
    const fresh = await client();
    gateway.reader.setMembers([ben.userId, fresh.userId], 2);
    publish(renamed(epoch, 2), typing(epoch), changed(epoch + 1, 3, [fresh.userId], []), renamed(epoch + 1, 4));
    await fresh.hears('conversation_updated');
    expect(told(fresh)).toEqual(['conversation_created', 'conversation_updated']);
    expect(fresh.heard('conversation_updated')).toMatchObject([{ rev: 4 }]);
  });
});
