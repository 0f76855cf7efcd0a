import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MemorySessionRegistry } from '../../../infra/src/memory/memory-session-registry.js';
import type { MessageSent } from '../conversation/events/conversation-event.js';
import { group, send, user } from '../conversation/testing/given-conversation.js';
import type { SessionRegistry } from '../ports/session-registry.port.js';
import { DELIVERY_WAIT_MS, PushEventHandler } from './push.handler.js';
import type { MessageNotice } from './push-notification.js';
import { PushOutbox, type ReadMark, type Recipient } from './push-outbox.port.js';

/** Members with devices, and what was written for them. */
class WrittenTasks extends PushOutbox {
  readonly added: { notice: MessageNotice; recipients: readonly Recipient[]; waitMs: number }[] = [];
  readonly marks: ReadMark[] = [];

  constructor(private readonly members: string[]) {
    super();
  }

  override async recipients(_notice: MessageNotice, after: string | null, limit: number): Promise<string[]> {
    return this.members.filter((userId) => after === null || userId > after).slice(0, limit);
  }
  override async add(notice: MessageNotice, recipients: readonly Recipient[], waitMs: number): Promise<void> {
    this.added.push({ notice, recipients, waitMs });
  }
  override async read(_conversationId: string, marks: readonly ReadMark[]): Promise<void> {
    this.marks.push(...marks);
  }
  override hasDevices = (): Promise<boolean> => Promise.resolve(this.members.length > 0);
  override edited = (): Promise<void> => Promise.resolve();
  override deleted = (): Promise<void> => Promise.resolve();
  override claim = (): Promise<never[]> => Promise.resolve([]);
  override finish = (): Promise<void> => Promise.resolve();
}

function sentBy(name: string, content: string): MessageSent {
  const given = group('a', 'b');
  const { events } = given.when(user(name), send(content));
  return events.find((event) => event.type === 'message-sent') as MessageSent;
}

describe('the push handler', () => {
  it('waits for the connected members, and not for those who have gone', async () => {
    const [here, leaving, away] = [randomUUID(), randomUUID(), randomUUID()].toSorted() as [string, string, string];
    const sessions = new MemorySessionRegistry();
    const session = { gatewayId: 'g', status: 'online' as const, connectedAt: 0, ttlMs: 60_000 };
    await sessions.put([
      { ...session, userId: here, deviceId: randomUUID(), connected: true },
      { ...session, userId: leaving, deviceId: randomUUID(), connected: false },
    ]);
    const outbox = new WrittenTasks([here, leaving, away]);
    await new PushEventHandler(outbox, sessions).handle(sentBy('a', 'Hello'));
    const recipients = [
      { userId: here, unlessDelivered: true },
      { userId: leaving, unlessDelivered: false },
      { userId: away, unlessDelivered: false },
    ];
    expect(outbox.added).toMatchObject([
      { notice: { seq: 1, preview: 'Hello' }, recipients, waitMs: DELIVERY_WAIT_MS },
    ]);
    expect(outbox.marks).toEqual([{ userId: user('a'), seq: 1 }]);
  });

  it('takes everybody for away while nobody can say who is connected', async () => {
    const unknown = { ofUsers: () => Promise.resolve(null) } as unknown as SessionRegistry;
    const outbox = new WrittenTasks([randomUUID()]);
    await new PushEventHandler(outbox, unknown).handle(sentBy('a', 'Hello'));
    expect(outbox.added[0]?.recipients).toMatchObject([{ unlessDelivered: false }]);
  });

  it('divides a large group into pieces', async () => {
    const members = Array.from({ length: 1_200 }, () => randomUUID() as string).toSorted();
    const outbox = new WrittenTasks(members);
    await new PushEventHandler(outbox, new MemorySessionRegistry()).handle(sentBy('a', 'All hands'));
    expect(outbox.added.map(({ recipients }) => recipients.length)).toEqual([500, 500, 200]);
    expect(outbox.added.flatMap(({ recipients }) => recipients.map(({ userId }) => userId))).toEqual(members);
  });

  it('takes away what was read, and all of a conversation from who was removed', async () => {
    const outbox = new WrittenTasks([]);
    const handler = new PushEventHandler(outbox, new MemorySessionRegistry());
    const base = { version: 1 as const, conversationId: randomUUID(), at: 0 };
    const mark = { messageId: '1', seq: 4 };
    const marks = [
      { userId: 'reader', read: mark },
      { userId: 'receiver', delivered: mark },
    ];
    await handler.handle({ ...base, type: 'marks-advanced', marks });
    const change = { rev: 2, membershipEpoch: 2, added: [], removed: ['gone'], roles: {} };
    await handler.handle({ ...base, type: 'members-changed', ...change });
    expect(outbox.marks).toEqual([
      { userId: 'reader', seq: 4 },
      { userId: 'gone', seq: Number.MAX_SAFE_INTEGER },
    ]);
    expect(await handler.hasNothingToDo()).toBe(true);
  });
});
