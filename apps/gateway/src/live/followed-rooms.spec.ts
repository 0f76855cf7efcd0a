import { NoDoorMetrics, type Broadcast, type ConversationReader, type Head } from '@parley/domain';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { Connection } from '../connections/connection.js';
import { ENTER_MS_MAX, FollowedRooms, PAIRS_MAX, ROOMS_KEPT_MS } from './followed-rooms.js';

/** Rooms and how often each is followed, as a broadcast counts them. */
class CountedRooms implements Pick<Broadcast, 'bringsEverything' | 'follow' | 'unfollow'> {
  bringsEverything = false;
  readonly counts = new Map<string, number>();
  readonly steps: string[] = [];
  /** Set to hold every following. */
  gate: Promise<void> | null = null;

  async follow(rooms: readonly string[]): Promise<void> {
    for (const room of rooms) this.count(room, 1);
    await this.gate;
  }
  unfollow(rooms: readonly string[]): void {
    for (const room of rooms) this.count(room, -1);
  }
  get followed(): string[] {
    return [...this.counts].flatMap(([room, count]) => Array.from({ length: count }, () => room)).toSorted();
  }
  private count(room: string, by: number): void {
    const count = (this.counts.get(room) ?? 0) + by;
    if (count < 0) throw new Error(`${room} was not followed`);
    if (count === 0) this.counts.delete(room);
    else this.counts.set(room, count);
    if (by > 0) this.steps.push(`follow ${room}`);
  }
}

describe('the followed rooms', () => {
  const conversations = new Map<string, string[]>();
  const asked: string[][] = [];
  let broadcast: CountedRooms;
  let sockets: ConnectionRegistry;
  let reading: Promise<void> | null;
  let now: number;
  let rooms: FollowedRooms;

  beforeEach(() => {
    conversations.clear();
    conversations.set('ada', ['one', 'two']).set('ben', ['two']);
    asked.length = 0;
    broadcast = new CountedRooms();
    sockets = new ConnectionRegistry(new NoDoorMetrics());
    reading = null;
    now = 0;
    const headsSince = async (userIds: readonly string[]): Promise<{ position: string; heads: Partial<Head>[] }> => {
      asked.push([...userIds]);
      broadcast.steps.push('read');
      await reading;
      const heads = userIds.flatMap((userId) =>
        (conversations.get(userId) ?? []).map((conversationId) => ({ userId, conversationId, removed: false })),
      );
      return { position: 'p', heads };
    };
    const reader = { headsSince } as unknown as ConversationReader;
    rooms = new FollowedRooms(broadcast as unknown as Broadcast, reader, sockets, {
      now: () => now,
    } as ConstructorParameters<typeof FollowedRooms>[3]);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const connect = (userId: string): Connection => {
    const connection = { userId } as Connection;
    sockets.add(connection);
    return connection;
  };

  it('are the own room first, then those of the conversations, each once for each user', async () => {
    await Promise.all([rooms.enter('ada'), rooms.enter('ben'), rooms.enter('ada')]);
    expect(broadcast.followed).toEqual([
      'conversation:one',
      'conversation:two',
      'conversation:two',
      'user:ada',
      'user:ben',
    ]);
    const [read, own] = [broadcast.steps.indexOf('read'), broadcast.steps.indexOf('follow user:ada')];
    expect(own).toBeLessThan(read);
  });

  it('are read with one query for all who come while another is under way', async () => {
    const gate = Promise.withResolvers<void>();
    reading = gate.promise;
    const first = rooms.enter('ada');
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    const others = Promise.all(['ben', 'cyd', 'dan'].map((userId) => rooms.enter(userId)));
    gate.resolve();
    await Promise.all([first, others]);
    expect(asked).toEqual([['ada'], ['ben', 'cyd', 'dan']]);
  });

  it('stay for a while after the last socket, and go together', async () => {
    await Promise.all([rooms.enter('ada'), rooms.enter('ben')]);
    const adas = connect('ada');
    now += ROOMS_KEPT_MS;
    rooms.sweep();
    expect(broadcast.followed).toEqual(['conversation:one', 'conversation:two', 'user:ada']);
    sockets.remove(adas);
    now += ROOMS_KEPT_MS - 1;
    rooms.sweep();
    expect(rooms.size).toBe(1);
    now += 1;
    rooms.sweep();
    expect([rooms.size, broadcast.followed]).toEqual([0, []]);
  });

  it('change with the members of a conversation', async () => {
    await rooms.enter('ada');
    const place = { conversationId: 'three', membershipEpoch: 1 };
    await rooms.changed({ type: 'conversation-created', ...place, memberIds: ['ada', 'stranger'] });
    await rooms.changed({ type: 'members-changed', ...place, rev: 2, added: ['ada'], removed: [], roles: {} });
    expect(broadcast.followed).toEqual(['conversation:one', 'conversation:three', 'conversation:two', 'user:ada']);
    const removed = ['ada', 'stranger'];
    await rooms.changed({ type: 'members-changed', ...place, rev: 3, added: [], removed, roles: {} });
    expect(broadcast.followed).toEqual(['conversation:one', 'conversation:two', 'user:ada']);
  });

  it('hold a conversation once that the user was added to while the others were read', async () => {
    const gate = Promise.withResolvers<void>();
    reading = gate.promise;
    const entering = rooms.enter('ada');
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    await rooms.joined(['ada'], 'two');
    gate.resolve();
    await entering;
    expect(broadcast.followed).toEqual(['conversation:one', 'conversation:two', 'user:ada']);
  });

  it('are left when the conversations cannot be read, and tried again', async () => {
    reading = Promise.reject(new Error('the database is away'));
    await expect(rooms.enter('ada')).rejects.toThrow('the database is away');
    expect([rooms.size, broadcast.followed]).toEqual([0, []]);
    reading = null;
    await rooms.enter('ada');
    expect(rooms.size).toBe(1);
  });

  it('are not waited for without end', async () => {
    vi.useFakeTimers();
    broadcast.gate = new Promise(() => {});
    const refusal = rooms.enter('ada').catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(ENTER_MS_MAX);
    expect(await refusal).toMatchObject({ code: 'overloaded' });
  });

  it('send a user away when there are too many of them', async () => {
    rooms['pairs'] = PAIRS_MAX;
    await expect(rooms.enter('ada')).rejects.toMatchObject({ code: 'overloaded' });
    expect(broadcast.followed).toEqual([]);
  });

  it('are nobody’s concern where everything arrives anyway', async () => {
    broadcast.bringsEverything = true;
    await rooms.enter('ada');
    await rooms.joined(['ada'], 'three');
    expect([rooms.size, asked, broadcast.followed]).toEqual([0, [], []]);
  });
});
