import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveEvent } from '../live/live-event.js';
import type { Broadcast, LiveListener } from '../ports/broadcast.port.js';
import { ADA, BEN, CommandSide, CYD, DAN } from '../testing/command-side.js';
import { MembershipDirectory, UNFOLLOWED_MS_MAX } from './membership-directory.js';

describe('the membership directory', () => {
  let side: CommandSide;
  let group: string;
  beforeEach(async () => {
    side = new CommandSide();
    group = await side.group(ADA, BEN, CYD);
  });
  afterEach(() => {
    vi.useRealTimers();
    return side.close();
  });

  const membersOf = (conversationId: string): string[] => [
    ...(side.directory.get(conversationId)?.members.keys() ?? []),
  ];

  it('reads a conversation once for all who ask at the same time, and then remembers it', async () => {
    expect(side.directory.get(group)).toBeUndefined();
    const loads = await Promise.all([1, 2, 3].map(() => side.directory.load(group)));
    expect(loads.map((membership) => membership?.members.size)).toEqual([3, 3, 3]);
    expect(side.directory.requireMember(group, BEN)).toMatchObject({ role: 'member', visibleFromSeq: 1 });
    expect(side.reads.membershipReads).toBe(1);
  });

  it('answers null, and refuses as not found, where there is no such conversation', async () => {
    expect(await side.directory.load(DAN)).toBeNull();
    await expect(side.directory.requireMember(DAN, ADA)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('follows removals and roles by the events alone', async () => {
    await side.directory.load(group);
    await side.changeMembers(ADA, group, [], [CYD]);
    await side.command(ADA, group, {
      type: 'change-members',
      add: [],
      remove: [],
      roles: { [BEN]: 'admin' },
      membersMax: 9,
    });
    expect(membersOf(group)).toEqual([ADA, BEN]);
    expect(side.directory.requireMember(group, BEN)).toMatchObject({ role: 'admin' });
    expect(side.reads.membershipReads).toBe(1);
  });

  it('reads again when somebody is added, for the event does not tell from where they see', async () => {
    await side.directory.load(group);
    await side.message(ADA, group);
    await side.changeMembers(ADA, group, [DAN], []);
    await vi.waitFor(() => expect(membersOf(group)).toContain(DAN));
    expect(side.directory.requireMember(group, DAN)).toMatchObject({ visibleFromSeq: 2 });
    expect(side.reads.membershipReads).toBe(2);
  });

  it('reads again when any event shows that a change of members was missed', async () => {
    const far = new MembershipDirectory(side.reader, silentBut(side));
    await far.load(group);
    await side.changeMembers(ADA, group, [], [CYD]);
    await side.changeMembers(ADA, group, [], [BEN]);
    const membershipEpoch = 3;
    hears(side, { type: 'conversation-renamed', conversationId: group, membershipEpoch, rev: 4, name: 'New' });
    await vi.waitFor(() => expect(far.get(group)?.membershipEpoch).toBe(membershipEpoch));
    expect([...(far.get(group)?.members.keys() ?? [])]).toEqual([ADA]);
  });

  it('does not refuse somebody who was just added, although it remembers them as a stranger', async () => {
    const deaf = new MembershipDirectory(side.reader, silentBut(side));
    await deaf.load(group);
    await side.changeMembers(ADA, group, [DAN], []);
    expect(deaf.get(group)?.members.has(DAN)).toBe(false);
    expect(await deaf.requireMember(group, DAN)).toMatchObject({ role: 'member' });
  });

  it('does not refuse somebody who was added while an earlier reading was under way', async () => {
    const deaf = new MembershipDirectory(side.reader, silentBut(side));
    const gate = Promise.withResolvers<void>();
    side.reads.hold = gate.promise;
    const early = deaf.load(group);
    side.reads.hold = Promise.resolve();
    await side.changeMembers(ADA, group, [DAN], []);
    expect(await deaf.requireMember(group, DAN)).toMatchObject({ role: 'member' });
    gate.resolve();
    await early;
    expect(deaf.get(group)?.members.has(DAN)).toBe(true);
  });

  it('does not keep what was read before a change that it has heard of', async () => {
    const gate = Promise.withResolvers<void>();
    side.reads.hold = gate.promise;
    const loading = side.directory.load(group);
    await side.changeMembers(ADA, group, [], [CYD]);
    gate.resolve();
    expect([...((await loading)?.members.keys() ?? [])]).toEqual([ADA, BEN]);
    expect(membersOf(group)).toEqual([ADA, BEN]);
  });

  it('never changes what it has handed out', async () => {
    const before = await side.directory.load(group);
    await side.changeMembers(ADA, group, [], [CYD]);
    expect([...(before?.members.keys() ?? [])]).toEqual([ADA, BEN, CYD]);
    expect(membersOf(group)).toEqual([ADA, BEN]);
  });

  it('goes on serving the members while a stranger has it read again', async () => {
    await side.directory.load(group);
    const gate = Promise.withResolvers<void>();
    side.reads.hold = gate.promise;
    const stranger = side.directory.requireMember(group, DAN);
    expect(side.directory.requireMember(group, ADA)).toMatchObject({ role: 'admin' });
    gate.resolve();
    await expect(stranger).rejects.toMatchObject({ code: 'not_found' });
  });

  it('asks again before it says that a member is no admin', async () => {
    const deaf = new MembershipDirectory(side.reader, silentBut(side));
    await deaf.load(group);
    expect(await deaf.requireAdmin(group, BEN)).toBeNull();
    const roles = { [BEN]: 'admin' } as const;
    await side.command(ADA, group, { type: 'change-members', add: [], remove: [], roles, membersMax: 9 });
    expect(await deaf.requireAdmin(group, BEN)).toMatchObject({ role: 'admin' });
  });

  it('believes what no event would correct for some seconds, and what it follows for as long as it is followed', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let followedSince: number | null = null;
    const broadcast = Object.assign(silentBut(side), {
      bringsEverything: false,
      followedSince: (room: string) => (room === `conversation:${group}` ? followedSince : null),
    });
    const directory = new MembershipDirectory(side.reader, broadcast);
    await directory.load(group);
    vi.advanceTimersByTime(UNFOLLOWED_MS_MAX);
    expect(directory.get(group)).toBeDefined();
    vi.advanceTimersByTime(1);
    expect(directory.get(group)).toBeUndefined();
    // Followed only now: what was read before may have changed unheard.
    followedSince = performance.now();
    expect(directory.get(group)).toBeUndefined();
    await directory.load(group);
    vi.advanceTimersByTime(10 * UNFOLLOWED_MS_MAX);
    expect(directory.get(group)).toBeDefined();
    followedSince = null;
    expect(directory.get(group)).toBeUndefined();
  });

  it('believes nothing that no event would correct where it decides from where a member sees', async () => {
    const broadcast = Object.assign(silentBut(side), { bringsEverything: false });
    const directory = new MembershipDirectory(side.reader, broadcast);
    await directory.load(group);
    await side.message(ADA, group);
    await side.changeMembers(ADA, group, [], [BEN]);
    await side.changeMembers(ADA, group, [BEN], []);
    expect(await directory.requireMember(group, BEN)).toMatchObject({ visibleFromSeq: 1 });
    expect(await directory.requireSight(group, BEN)).toMatchObject({ visibleFromSeq: 2 });
    // What is followed was corrected by events, and is not read again.
    const read = vi.spyOn(side.reader, 'membership');
    broadcast.followedSince = () => 0;
    expect(await directory.requireSight(group, BEN)).toMatchObject({ visibleFromSeq: 2 });
    expect(read).not.toHaveBeenCalled();
    await side.changeMembers(ADA, group, [], [BEN]);
    broadcast.followedSince = () => null;
    await expect(async () => directory.requireSight(group, BEN)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('forgets everything when events may have been lost', async () => {
    const interruptions: (() => void)[] = [];
    const broadcast = silentBut(side);
    broadcast.onInterruption = (listener) => {
      interruptions.push(listener);
      return () => {};
    };
    const directory = new MembershipDirectory(side.reader, broadcast);
    await directory.load(group);
    for (const interrupted of interruptions) interrupted();
    expect(directory.get(group)).toBeUndefined();
  });
});

const heard = new WeakMap<CommandSide, LiveListener[]>();

/** A broadcast that brings nothing but what `hears` gives it. */
function silentBut(side: CommandSide): Broadcast {
  const listeners = heard.get(side) ?? [];
  heard.set(side, listeners);
  return {
    bringsEverything: true,
    follow: async () => {},
    unfollow: () => {},
    followedSince: () => null,
    publish: async () => {},
    subscribe: (listener) => {
      listeners.push(listener);
      return () => {};
    },
    onInterruption: () => () => {},
  };
}

function hears(side: CommandSide, event: LiveEvent): void {
  for (const listener of heard.get(side) ?? []) listener([event]);
}
