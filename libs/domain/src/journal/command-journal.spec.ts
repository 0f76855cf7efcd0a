import { afterEach, describe, expect, it, vi } from 'vitest';
import { DomainError } from '../errors/domain-error.js';
import type { LiveSendSettled } from '../live/live-event.js';
import { ADA, BEN, by, CommandSide, type CommandSideOptions, CYD } from '../testing/command-side.js';

const SHORT_MS = 60;

describe('the command journal', () => {
  const sides: CommandSide[] = [];
  function given(options: CommandSideOptions = {}): CommandSide {
    const side = new CommandSide(options);
    sides.push(side);
    return side;
  }
  /** A group, and an owner that no longer takes anything from the log. */
  async function givenStuckOwner(options: CommandSideOptions = {}): Promise<[CommandSide, string]> {
    const side = given({ ...options, limits: { sendWaitMs: SHORT_MS, ...options.limits } });
    const group = await side.group(ADA, BEN);
    await side.owner.stop();
    return [side, group];
  }
  afterEach(async () => {
    vi.useRealTimers();
    for (const side of sides.splice(0)) await side.close();
  });

  function settled(side: CommandSide): LiveSendSettled[] {
    return side.live.filter((event) => event.type === 'send-settled');
  }

  it('gives every command an id of its own', () => {
    const side = given();
    const ids = Array.from({ length: 1_000 }, () => side.journal.nextCommandId());
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set([...ids, given().journal.nextCommandId()]).size).toBe(ids.length + 1);
  });

  it('turns a refusal of the decision into an error with its code', async () => {
    const side = given();
    const group = await side.group(ADA, BEN);
    const renaming = side.journal.submit(by(BEN), group, () => ({ type: 'rename', name: 'Mine' }));
    await expect(renaming).rejects.toMatchObject({ code: 'forbidden', detail: 'Only admins rename a group' });
    await expect(renaming).rejects.toBeInstanceOf(DomainError);
  });

  it('answers what is prepared as an outcome without journaling anything', async () => {
    const side = given();
    const group = await side.group(ADA, BEN);
    const before = side.owner.decided.length;
    expect(await side.journal.submit(by(ADA), group, () => ({ kind: 'changed', rev: 9 }))).toEqual({
      kind: 'changed',
      rev: 9,
    });
    await side.message(ADA, group);
    expect(side.owner.decided).toHaveLength(before + 1);
  });

  it('refuses commands beyond its bound as overloaded, and takes them again when others have ended', async () => {
    const [side, group] = await givenStuckOwner({ limits: { commandsInFlightMax: 3, sendWaitMs: 5_000 } });
    const waiting = [1, 2, 3].map(() => side.send(by(ADA), side.payload(group)));
    expect(side.journal.commandsInFlight).toBe(3);
    await expect(side.send(by(ADA), side.payload(group))).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterMs: expect.any(Number) as number,
    });
    side.owner.start();
    await Promise.all(waiting);
    expect(side.journal.commandsInFlight).toBe(0);
    expect(await side.message(ADA, group)).toMatchObject({ seq: 4 });
  });

  it('hands on at once what the log refuses', async () => {
    const [side, group] = await givenStuckOwner({ pendingRecordsMax: 1, limits: { sendWaitMs: 60_000 } });
    const first = side.send(by(ADA), side.payload(group));
    await expect(side.send(by(ADA), side.payload(group))).rejects.toMatchObject({ code: 'overloaded' });
    expect(side.journal.commandsInFlight).toBe(1);
    side.owner.start();
    await first;
  });

  it('takes a send back that is not decided in time, and says that the store is unavailable', async () => {
    const [side, group] = await givenStuckOwner();
    const payload = side.payload(group);
    await expect(side.send(by(ADA), payload)).rejects.toMatchObject({
      code: 'store_unavailable',
      retryAfterMs: expect.any(Number) as number,
    });
    expect(side.log.lag()).toBe(0);
    side.owner.start();
    await side.message(ADA, group, { content: 'Next' });
    expect(side.contents(group)).toEqual(['Next']);
    expect(settled(side)).toEqual([]);
    expect(await side.send(by(ADA), payload)).toMatchObject({ status: 'stored', seq: 2, duplicate: false });
  });

  it('answers accepted where the log has the send for good, and tells its end when it comes', async () => {
    const [side, group] = await givenStuckOwner({ durableAt: 'append' });
    const payload = side.payload(group);
    expect(await side.send(by(ADA), payload)).toEqual({ status: 'accepted', clientMsgId: payload.clientMsgId });
    expect(settled(side)).toEqual([]);
    side.owner.start();
    await vi.waitFor(() => expect(settled(side)).toHaveLength(1));
    const outcome = { status: 'stored', messageId: expect.any(String) as string, seq: 1, rev: 2 };
    expect(settled(side)[0]).toMatchObject({
      userId: ADA,
      conversationId: group,
      clientMsgId: payload.clientMsgId,
      outcome,
    });
    expect(await side.send(by(ADA), payload)).toMatchObject({ status: 'stored', seq: 1, duplicate: true });
  });

  it('tells the rejection of a send that was accepted', async () => {
    const side = given({ durableAt: 'append', limits: { sendWaitMs: SHORT_MS } });
    const group = await side.group(ADA, BEN);
    await side.owner.stop();
    const removal = side.changeMembers(ADA, group, [], [BEN]).catch((error: unknown) => error);
    expect(await side.send(by(BEN), side.payload(group))).toMatchObject({ status: 'accepted' });
    expect(await removal).toMatchObject({ code: 'store_unavailable' });
    side.owner.start();
    await vi.waitFor(() => expect(settled(side)).toHaveLength(1));
    expect(settled(side)[0]).toMatchObject({ userId: BEN, outcome: { status: 'rejected', code: 'not_found' } });
    expect(side.contents(group)).toEqual([]);
  });

  it('never answers accepted to another command than a send', async () => {
    const [side, group] = await givenStuckOwner({ durableAt: 'append' });
    const renaming = side.journal.submit(by(ADA), group, () => ({ type: 'rename', name: 'Late' }));
    await expect(renaming).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it('makes nobody wait for the look-ups of all that the socket has sent before', async () => {
    const side = given();
    const group = await side.group(ADA, BEN);
    side.directory.invalidate(group);
    vi.useFakeTimers({ toFake: ['performance'] });
    const gate = Promise.withResolvers<void>();
    side.reads.hold = gate.promise;
    const first = side.send(by(ADA, 'socket'), side.payload(group));
    const later = [1, 2].map(() => side.send(by(ADA, 'socket'), side.payload(group)).catch((error: unknown) => error));
    vi.advanceTimersByTime(side.limits.sendWaitMs);
    const looksUp = vi.spyOn(side.directory, 'requireMember');
    gate.resolve();
    expect(await Promise.all(later)).toMatchObject([{ code: 'store_unavailable' }, { code: 'store_unavailable' }]);
    expect(await first).toMatchObject({ status: 'stored', seq: 1 });
    expect(looksUp).not.toHaveBeenCalled();
    expect(side.contents(group)).toHaveLength(1);
  });

  it('keeps the order of a socket when the first send has to be looked up and the second has not', async () => {
    const side = given();
    const [unknown, known] = [await side.group(ADA, BEN), await side.group(ADA, BEN)];
    await side.directory.load(known);
    side.directory.invalidate(unknown);
    const gate = Promise.withResolvers<void>();
    side.reads.hold = gate.promise;
    // In the order of the log's door: what two partitions hold is decided in either order.
    const appended: string[] = [];
    const append = side.log.append.bind(side.log);
    side.log.append = (records) => {
      for (const { command } of records) if ('content' in command) appended.push(command.content);
      return append(records);
    };
    const sends = [
      side.send(by(ADA, 'socket'), side.payload(unknown, { content: 'first' })),
      side.send(by(ADA, 'socket'), side.payload(known, { content: 'second' })),
      side.send(by(CYD, null), side.payload(known)).catch(() => 'refused'),
      side.send(by(BEN, 'other'), side.payload(known, { content: 'of another socket' })),
    ];
    await sends[3];
    expect(side.contents(known)).toEqual(['of another socket']);
    gate.resolve();
    await Promise.all(sends);
    expect(appended).toEqual(['of another socket', 'first', 'second']);
  });

  it('journals 500 sends of a socket in the order in which they came', async () => {
    const side = given();
    const group = await side.group(ADA, BEN);
    side.directory.invalidate(group);
    const contents = Array.from({ length: 500 }, (_, i) => String(i));
    await Promise.all(contents.map((content) => side.send(by(ADA, 'socket'), side.payload(group, { content }))));
    expect(side.contents(group)).toEqual(contents);
    expect(side.order.waiting).toBe(0);
  });
});
