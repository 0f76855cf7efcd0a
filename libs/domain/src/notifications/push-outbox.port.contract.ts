import { randomUUID } from 'node:crypto';
import type { PushProviderName } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MessageNotice, PushTask } from './push-notification.js';
import type { PushOutbox } from './push-outbox.port.js';

export interface PushOutboxUnderTest {
  /** For FCM and Web Push, and not for APNs. A claim that is not finished lasts `claimMs`. */
  outbox: PushOutbox;
  claimMs: number;
  addUsers: (count: number) => Promise<string[]>;
  addDevice: (userId: string, provider?: PushProviderName) => Promise<string>;
  hasDevice: (userId: string, deviceId: string) => Promise<boolean>;
  /** A group with a last message of seq 10, of which nobody has read or received anything. */
  addGroup: (name: string, userIds: readonly string[]) => Promise<string>;
  setMember: (
    conversationId: string,
    userId: string,
    state: { read?: number; delivered?: number; mutedMs?: number; visibleFrom?: number; removed?: boolean },
  ) => Promise<void>;
  setPreview: (userId: string, wanted: boolean) => Promise<void>;
  close: () => Promise<void>;
}

const PROVIDER = 'fcm';
const WAIT_MS = 300;

/** What every outbox keeps to. */
export function pushOutboxContract(name: string, make: () => Promise<PushOutboxUnderTest>): void {
  describe(`push outbox: ${name}`, () => {
    let opened: PushOutboxUnderTest;
    let outbox: PushOutbox;
    let [ada, bob, cat] = ['', '', ''];
    let group: string;
    let phone: string;
    beforeAll(async () => {
      opened = await make();
      outbox = opened.outbox;
    });
    afterAll(() => opened.close());
    beforeEach(async () => {
      [ada, bob, cat] = (await opened.addUsers(3)) as [string, string, string];
      group = await opened.addGroup('Engine room', [ada, bob, cat]);
      phone = await opened.addDevice(bob);
    });

    function notice(seq: number, more: Partial<MessageNotice> = {}): MessageNotice {
      const text = { contentType: 'text' as const, preview: `message ${seq}` };
      const place = { conversationId: group, seq, messageId: String(1_000 + seq), senderId: ada };
      return { ...place, ...text, sentAt: Date.now(), ...more };
    }
    const add = (seq: number, userIds = [bob], unlessDelivered = false): Promise<void> =>
      outbox.add(
        notice(seq),
        userIds.map((userId) => ({ userId, unlessDelivered })),
        WAIT_MS,
      );

    /** Tasks of this test's users; others of the same database are left out. */
    async function claim(): Promise<PushTask[]> {
      const tasks = await outbox.claim(PROVIDER, 100);
      return tasks.filter(({ userId }) => [ada, bob, cat].includes(userId));
    }
    async function one(): Promise<PushTask> {
      const tasks = await claim();
      expect(tasks).toHaveLength(1);
      return tasks[0]!;
    }
    async function claimWithin(ms: number): Promise<PushTask> {
      for (const end = Date.now() + ms; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 20))) {
        const [task] = await claim();
        if (task) return task;
      }
      throw new Error(`no task within ${ms} ms`);
    }

    it('names the members who may be notified, page by page', async () => {
      const [muted, reader, late, gone, without, ...others] = (await opened.addUsers(8)) as string[];
      const all = [muted, reader, late, gone, ...others] as string[];
      for (const userId of [ada, ...all]) await opened.addDevice(userId);
      group = await opened.addGroup('All', [ada, without!, ...all]);
      await opened.setMember(group, muted!, { mutedMs: 60_000 });
      await opened.setMember(group, others[0]!, { mutedMs: -1_000 });
      await opened.setMember(group, reader!, { read: 5 });
      await opened.setMember(group, late!, { visibleFrom: 6 });
      await opened.setMember(group, gone!, { removed: true });
      expect(await outbox.hasDevices()).toBe(true);
      const wanted = others.toSorted();
      expect(await outbox.recipients(notice(5), null, 10)).toEqual(wanted);
      expect(await outbox.recipients(notice(5), wanted[0]!, 1)).toEqual([wanted[1]]);
    });

    it('has one task for each device and conversation, the latest, with all that it takes to tell', async () => {
      const other = await opened.addDevice(bob, 'webpush');
      await add(5);
      await add(6);
      const task = await one();
      expect(task).toMatchObject({ kind: 'message', userId: bob, deviceId: phone, seq: 6, messageId: '1006' });
      expect(task).toMatchObject({ conversationName: 'Engine room', conversationType: 'group', senderName: 'User' });
      expect(task).toMatchObject({ preview: 'message 6', badge: 10, attempt: 1, isSuperfluous: false });
      expect(await claim()).toEqual([]);
      const [web] = (await outbox.claim('webpush', 100)).filter(({ userId }) => userId === bob);
      expect(web).toMatchObject({ deviceId: other, seq: 6 });
      await outbox.finish(task, { is: 'sent' });
      expect(await claim()).toEqual([]);
    });

    it('makes no tasks for devices of a provider that is not configured', async () => {
      await opened.addDevice(cat, 'apns');
      expect(await outbox.recipients(notice(5), null, 10)).toEqual([bob]);
      await add(5, [bob, cat]);
      expect((await outbox.claim('apns', 100)).filter(({ userId }) => userId === cat)).toEqual([]);
    });

    it('does not tell twice what a device shows already', async () => {
      await add(5);
      await outbox.finish(await one(), { is: 'sent' });
      await add(5);
      expect(await claim()).toEqual([]);
    });

    it('leaves the text out for users who want none, and shows it as it was edited last', async () => {
      await add(5);
      await outbox.edited(group, 5, 'better');
      const task = await one();
      expect(task.preview).toBe('better');
      await outbox.finish(task, { is: 'again', inMs: 0 });
      await opened.setPreview(bob, false);
      expect((await one()).preview).toBeNull();
    });

    it('waits for a connected device, and drops the task when the message has arrived there', async () => {
      await add(5, [bob], true);
      expect(await claim()).toEqual([]);
      await opened.setMember(group, bob, { delivered: 5 });
      expect(await claimWithin(2_000)).toMatchObject({ isSuperfluous: true });
    });

    it('tells a connected device of what has not arrived in time, not of what may still', async () => {
      await add(5, [bob], true);
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS / 2));
      await add(6, [bob], true);
      await opened.setMember(group, bob, { delivered: 5 });
      const began = Date.now();
      const task = await claimWithin(2_000);
      expect(task).toMatchObject({ seq: 6, isSuperfluous: false });
      expect(Date.now() - began).toBeGreaterThan(WAIT_MS * 0.7);
    });

    it('drops what was read before it was sent, and takes away what is shown', async () => {
      await add(5);
      await opened.setMember(group, bob, { read: 5 });
      await outbox.read(group, [{ userId: bob, seq: 5 }]);
      expect(await claim()).toEqual([]);
      await opened.setMember(group, bob, { read: 4 });
      await add(5);
      await outbox.finish(await one(), { is: 'sent' });
      await outbox.read(group, [{ userId: bob, seq: 4 }]);
      expect(await claim()).toEqual([]);
      await outbox.read(group, [{ userId: bob, seq: 5 }]);
      const clear = await one();
      expect(clear).toMatchObject({ kind: 'clear', deviceId: phone, seq: 5, messageId: '1005', isSuperfluous: false });
      await outbox.finish(clear, { is: 'sent' });
      await outbox.read(group, [{ userId: bob, seq: 5 }]);
      expect(await claim()).toEqual([]);
    });

    it('takes away what was read while it was being sent', async () => {
      await add(5);
      const task = await one();
      await opened.setMember(group, bob, { read: 5 });
      await outbox.read(group, [{ userId: bob, seq: 5 }]);
      expect(await claim()).toEqual([]);
      await outbox.finish(task, { is: 'sent' });
      expect(await one()).toMatchObject({ kind: 'clear', seq: 5 });
    });

    it.each([
      ['was read', { read: 6 }],
      ['may no longer be seen', { removed: true }],
    ])('takes away what %s while something newer, which then failed, was being sent', async (_what, state) => {
      await add(5);
      await outbox.finish(await one(), { is: 'sent' });
      await add(6);
      const task = await one();
      await opened.setMember(group, bob, state);
      await outbox.read(group, [{ userId: bob, seq: 6 }]);
      await outbox.finish(task, { is: 'again', inMs: 0 });
      const superfluous = await one();
      expect(superfluous).toMatchObject({ kind: 'message', seq: 6, isSuperfluous: true });
      await outbox.finish(superfluous, { is: 'dropped' });
      expect(await one()).toMatchObject({ kind: 'clear', seq: 5 });
    });

    it('drops what was deleted before it was sent, and takes away what is shown of it', async () => {
      await add(5);
      await outbox.deleted(group, 5, '1005');
      expect(await claim()).toEqual([]);
      await add(6);
      await outbox.finish(await one(), { is: 'sent' });
      await outbox.deleted(group, 6, '1006');
      expect(await one()).toMatchObject({ kind: 'clear', seq: 6 });
    });

    it('takes away what was deleted while it was being sent', async () => {
      await add(5);
      const task = await one();
      await outbox.deleted(group, 5, '1005');
      expect(await claim()).toEqual([]);
      await outbox.finish(task, { is: 'sent' });
      const clear = await one();
      expect(clear).toMatchObject({ kind: 'clear', seq: 5, messageId: '1005' });
      await outbox.finish(clear, { is: 'sent' });
      expect(await claim()).toEqual([]);
    });

    it('does not try again what was deleted while it was being sent', async () => {
      await add(5);
      const task = await one();
      await outbox.deleted(group, 5, '1005');
      await outbox.finish(task, { is: 'again', inMs: 0 });
      const again = await one();
      expect(again).toMatchObject({ seq: 5, isSuperfluous: true });
      await outbox.finish(again, { is: 'dropped' });
      // Nor when the event of the message comes once more.
      await add(5);
      expect(await one()).toMatchObject({ seq: 5, isSuperfluous: true });
    });

    it('takes away what was deleted while something newer waited that came to nothing', async () => {
      await add(5);
      await outbox.finish(await one(), { is: 'sent' });
      await add(6, [bob], true);
      await outbox.deleted(group, 5, '1005');
      await opened.setMember(group, bob, { delivered: 6 });
      const arrived = await claimWithin(2_000);
      expect(arrived).toMatchObject({ seq: 6, isSuperfluous: true });
      await outbox.finish(arrived, { is: 'dropped' });
      const clear = await one();
      expect(clear).toMatchObject({ kind: 'clear', seq: 5 });
      await outbox.finish(clear, { is: 'sent' });

      await add(7);
      await outbox.finish(await one(), { is: 'sent' });
      await add(8, [bob], true);
      await outbox.deleted(group, 7, '1007');
      await outbox.deleted(group, 8, '1008');
      expect(await one()).toMatchObject({ kind: 'clear', seq: 7 });
    });

    it('tells of the message before, when the latest was deleted before anything was sent', async () => {
      await add(4);
      await add(5);
      await add(6);
      await outbox.deleted(group, 5, '1005');
      await outbox.edited(group, 4, 'better');
      await outbox.deleted(group, 6, '1006');
      const task = await one();
      expect(task).toMatchObject({ kind: 'message', seq: 4, messageId: '1004', preview: 'better', senderName: 'User' });
      expect(task.isSuperfluous).toBe(false);
      await outbox.finish(task, { is: 'sent' });
      await opened.setMember(group, bob, { read: 4 });
      await outbox.read(group, [{ userId: bob, seq: 4 }]);
      expect(await one()).toMatchObject({ kind: 'clear', seq: 4 });
    });

    it('tells of none of them that was read, is out of sight, was told already, or is one’s own', async () => {
      const latestOf = async (seq: number): Promise<void> => {
        await add(seq);
        await outbox.deleted(group, seq, String(1_000 + seq));
        expect(await claim()).toEqual([]);
      };
      await add(2);
      await opened.setMember(group, bob, { read: 2 });
      await latestOf(3);
      await add(4);
      await opened.setMember(group, bob, { visibleFrom: 5 });
      await latestOf(5);
      await add(6);
      await outbox.finish(await one(), { is: 'sent' });
      await latestOf(7);
      await add(8);
      await outbox.add(notice(9, { senderId: bob }), [{ userId: bob, unlessDelivered: false }], WAIT_MS);
      await outbox.deleted(group, 8, '1008');
      await latestOf(10);
    });

    it('tells of the message before, when the latest was deleted while its provider failed', async () => {
      await add(5);
      await outbox.finish(await one(), { is: 'again', inMs: 0 });
      await add(6);
      const task = await one();
      await outbox.deleted(group, 6, '1006');
      await outbox.finish(task, { is: 'again', inMs: 0 });
      const again = await one();
      expect(again).toMatchObject({ seq: 6, isSuperfluous: true });
      await outbox.finish(again, { is: 'dropped' });
      expect(await one()).toMatchObject({ kind: 'message', seq: 5, attempt: 1, isSuperfluous: false });
    });

    it('takes the latest away, then tells of the one before that it had spoken for too', async () => {
      await add(5);
      await add(6);
      await outbox.finish(await one(), { is: 'sent' });
      await outbox.deleted(group, 6, '1006');
      const clear = await one();
      expect(clear).toMatchObject({ kind: 'clear', seq: 6 });
      await outbox.finish(clear, { is: 'sent' });
      const before = await one();
      expect(before).toMatchObject({ kind: 'message', seq: 5, preview: 'message 5' });
      await outbox.finish(before, { is: 'sent' });
      await outbox.deleted(group, 5, '1005');
      const last = await one();
      expect(last).toMatchObject({ kind: 'clear', seq: 5 });
      await outbox.finish(last, { is: 'sent' });
      expect(await claim()).toEqual([]);
    });

    it('does not tell twice of what was sent while something newer came that was then deleted', async () => {
      await add(5);
      const task = await one();
      await add(6, [bob], true);
      await outbox.finish(task, { is: 'sent' });
      await outbox.deleted(group, 6, '1006');
      expect(await claim()).toEqual([]);
    });

    it('says of a task that it came to nothing: read, muted or removed meanwhile', async () => {
      await opened.addDevice(ada);
      await opened.addDevice(cat);
      await add(5, [ada, bob, cat]);
      await opened.setMember(group, ada, { read: 5 });
      await opened.setMember(group, bob, { mutedMs: 60_000 });
      await opened.setMember(group, cat, { removed: true });
      const tasks = await claim();
      expect(tasks.map(({ isSuperfluous }) => isSuperfluous)).toEqual([true, true, true]);
      for (const task of tasks) await outbox.finish(task, { is: 'dropped' });
      await new Promise((resolve) => setTimeout(resolve, opened.claimMs));
      expect(await claim()).toEqual([]);
    });

    it('gives a task again when it is due again, and what came meanwhile with it', async () => {
      await add(5);
      await outbox.finish(await one(), { is: 'again', inMs: 100 });
      await add(6);
      expect(await claim()).toEqual([]);
      expect(await claimWithin(2_000)).toMatchObject({ seq: 6, attempt: 2 });
    });

    it('does not count an attempt that was none', async () => {
      await add(5);
      await outbox.finish(await one(), { is: 'again', inMs: 0 });
      await outbox.finish(await one(), { is: 'later', inMs: 100 });
      expect(await claim()).toEqual([]);
      expect(await claimWithin(2_000)).toMatchObject({ seq: 5, attempt: 2 });
    });

    it('sends what came while a task was being sent right after it', async () => {
      await add(5);
      const task = await one();
      await add(6);
      expect(await claim()).toEqual([]);
      await outbox.finish(task, { is: 'sent' });
      expect(await one()).toMatchObject({ seq: 6, attempt: 1 });
    });

    it('gives a task that nobody finished to another', async () => {
      await add(5);
      const task = await one();
      const again = await claimWithin(opened.claimMs + 2_000);
      expect(again).toMatchObject({ seq: 5, attempt: 2 });
      await outbox.finish(task, { is: 'dropped' });
      await outbox.finish(again, { is: 'again', inMs: 0 });
      expect(await one()).toMatchObject({ seq: 5 });
    });

    it('forgets a device whose token is dead, unless it has another by now', async () => {
      await add(5);
      await outbox.finish(await one(), { is: 'gone' });
      expect(await opened.hasDevice(bob, phone)).toBe(false);
      const tablet = await opened.addDevice(bob);
      await add(6);
      await outbox.finish({ ...(await one()), pushToken: randomUUID() }, { is: 'gone' });
      expect(await opened.hasDevice(bob, tablet)).toBe(true);
    });
  });
}
