import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaDirectory } from './media-directory.port.js';
import type { MediaRecord } from './media-record.js';
import { picture } from './testing/given-media.js';

/** Conversations and avatars around the directory, as the pipeline and the accounts write them. */
export interface MediaWorld {
  directory: MediaDirectory;
  user(): Promise<string>;
  /** @returns its id; `userIds` see it from the seq on that each is given with */
  conversation(members: Readonly<Record<string, number>>): Promise<string>;
  leave(conversationId: string, userId: string): Promise<void>;
  /** The message carries the medium; with a time, it was deleted then. */
  carry(conversationId: string, seq: number, mediaId: string, removedAt?: number | null): Promise<void>;
  setAvatar(userId: string, mediaId: string | null): Promise<void>;
  close(): Promise<void>;
}

const PLENTY = 1_000_000_000_000;
const DAY_MS = 24 * 60 * 60_000;

/** What every adapter behind MediaDirectory must do. */
export function mediaDirectoryContract(name: string, open: () => Promise<MediaWorld>): void {
  describe(`${name} as MediaDirectory`, () => {
    let world: MediaWorld;
    let directory: MediaDirectory;
    let ada: string;
    let ben: string;
    beforeAll(async () => {
      world = await open();
      ({ directory } = world);
      [ada, ben] = [await world.user(), await world.user()];
    });
    afterAll(() => world.close());

    async function add(ownerId: string, changes: Partial<MediaRecord> = {}): Promise<MediaRecord> {
      const medium = picture(ownerId, changes);
      expect(await directory.add(medium, PLENTY)).toBe('added');
      await directory.stored(medium.mediaId);
      return medium;
    }
    async function forgetAll(nowMs: number): Promise<void> {
      while ((await directory.forgetUnused(nowMs, DAY_MS)) > 0);
    }
    async function noneToRender(): Promise<void> {
      for (let job = await directory.claimRendering(1); job; job = await directory.claimRendering(1)) {
        await directory.rendered(job.medium.mediaId, 'failed');
      }
    }
    const isThere = async (ownerId: string, mediaId: string): Promise<boolean> =>
      (await directory.findFor(ownerId, mediaId)) !== null;

    it('gives a medium back as it was added, to its uploader and nobody else', async () => {
      const medium = await add(ada, { fileName: 'Überblick "1".png', sizeBytes: 5_000_000_000 });
      expect(await directory.findFor(ada, medium.mediaId)).toEqual(medium);
      expect(await directory.findFor(ben, medium.mediaId)).toBeNull();
      expect(await directory.findFor(ada, randomUUID())).toBeNull();
    });

    it('shows it to members from their join on, while they belong to the conversation and the message is there', async () => {
      const { mediaId } = await add(ada);
      const late = await world.user();
      const conversationId = await world.conversation({ [ada]: 1, [ben]: 1, [late]: 6 });
      await world.carry(conversationId, 5, mediaId);
      expect([await isThere(ben, mediaId), await isThere(late, mediaId)]).toEqual([true, false]);
      await world.leave(conversationId, ben);
      expect(await isThere(ben, mediaId)).toBe(false);
      const other = await world.conversation({ [ben]: 1 });
      await world.carry(other, 1, mediaId);
      expect(await isThere(ben, mediaId)).toBe(true);
      await world.carry(other, 1, mediaId, Date.now());
      expect([await isThere(ben, mediaId), await isThere(ada, mediaId)]).toEqual([false, true]);
    });

    it('shows an avatar to everybody, and only while it is one', async () => {
      const { mediaId } = await add(ada);
      expect(await directory.findAvatar(mediaId)).toBeNull();
      await world.setAvatar(ada, mediaId);
      expect([await isThere(ben, mediaId), (await directory.findAvatar(mediaId))?.mediaId]).toEqual([true, mediaId]);
      await world.setAvatar(ada, null);
      expect([await isThere(ben, mediaId), await directory.findAvatar(mediaId)]).toEqual([false, null]);
    });

    it('lets a user use what that user uploaded or was sent, and no avatar of another', async () => {
      const [own, foreign, received, avatar] = [await add(ada), await add(ben), await add(ben), await add(ben)];
      await world.carry(await world.conversation({ [ada]: 1, [ben]: 1 }), 1, received.mediaId);
      await world.setAvatar(ben, avatar.mediaId);
      const used = await directory.use(
        ada,
        [own, foreign, received, avatar].map(({ mediaId }) => mediaId),
      );
      const usable = [own.mediaId, received.mediaId].toSorted();
      expect(used.map(({ mediaId }) => mediaId).toSorted()).toEqual(usable);
      expect(await isThere(ada, avatar.mediaId)).toBe(true);
      expect((await directory.use(ben, [avatar.mediaId])).map(({ mediaId }) => mediaId)).toEqual([avatar.mediaId]);
      await world.setAvatar(ben, null);
      expect(await directory.use(ada, [randomUUID()])).toEqual([]);
      expect(await directory.use(ada, [])).toEqual([]);
    });

    it('keeps a user within the quota, however many uploads end at once', async () => {
      const user = await world.user();
      const media = Array.from({ length: 12 }, () => picture(user, { sizeBytes: 100 }));
      const added = await Promise.all(media.map((medium) => directory.add(medium, 550)));
      expect(added.filter((outcome) => outcome === 'added')).toHaveLength(5);
      expect(await directory.usedBytes(user)).toBe(500);
      expect(await directory.add(picture(user, { sizeBytes: 51 }), 550)).toBe('quota-exceeded');
      expect(await directory.add(picture(user, { sizeBytes: 50 }), 550)).toBe('added');
      expect(await directory.add(picture(await world.user(), { sizeBytes: 551 }), 550)).toBe('quota-exceeded');
    });

    it('gives the quota back for what could not be stored', async () => {
      const user = await world.user();
      const medium = picture(user, { sizeBytes: 100 });
      await directory.add(medium, 100);
      await directory.discard(medium.mediaId);
      await directory.discard(medium.mediaId);
      expect(await directory.usedBytes(user)).toBe(0);
      expect(await isThere(user, medium.mediaId)).toBe(false);
      expect(await directory.garbage(1_000)).toContain(medium.mediaId);
    });

    it('gives a picture to one worker, the oldest first, once its bytes are stored', async () => {
      await noneToRender();
      const waiting = picture(ada);
      await directory.add(waiting, PLENTY);
      expect(await directory.claimRendering(60_000)).toBeNull();
      await directory.stored(waiting.mediaId);
      await add(ada, { renditions: 'none' });
      const second = await add(ada);
      const claims = await Promise.all([1, 2, 3].map(() => directory.claimRendering(60_000)));
      const claimed = claims.flatMap((job) => job?.medium.mediaId ?? []);
      expect(claimed.toSorted()).toEqual([waiting.mediaId, second.mediaId].toSorted());
      expect(await directory.rendered(second.mediaId, 'both')).toBe(true);
      expect((await directory.findFor(ada, second.mediaId))?.renditions).toBe('both');
      expect(await directory.rendered(randomUUID(), 'both')).toBe(false);
      await directory.rendered(waiting.mediaId, 'failed');
    });

    it('gives it to the next worker when the lease of a dead one has ended, and counts', async () => {
      await noneToRender();
      const { mediaId } = await add(ada);
      expect(await directory.claimRendering(1)).toMatchObject({ medium: { mediaId }, attempt: 1 });
      await expect.poll(() => directory.claimRendering(60_000)).toMatchObject({ medium: { mediaId }, attempt: 2 });
      expect(await directory.claimRendering(60_000)).toBeNull();
      await directory.rendered(mediaId, 'thumbnail');
      expect(await directory.claimRendering(60_000)).toBeNull();
    });

    it('forgets what nothing has used for a day, and gives its quota back', async () => {
      const user = await world.user();
      const [medium, other] = [await add(user, { sizeBytes: 70 }), await add(user, { sizeBytes: 30 })];
      const conversationId = await world.conversation({ [user]: 1 });
      await world.carry(conversationId, 1, other.mediaId);
      await forgetAll(Date.now() + DAY_MS - 60_000);
      expect(await isThere(user, medium.mediaId)).toBe(true);
      await forgetAll(Date.now() + DAY_MS + 60_000);
      expect([await isThere(user, medium.mediaId), await isThere(user, other.mediaId)]).toEqual([false, true]);
      expect(await directory.usedBytes(user)).toBe(30);
      expect(await directory.garbage(10_000)).toContain(medium.mediaId);
      await directory.swept([medium.mediaId]);
      expect(await directory.garbage(10_000)).not.toContain(medium.mediaId);
    });

    it('keeps an avatar, and what is the last day’s: just used, or its message just deleted', async () => {
      const user = await world.user();
      const [avatar, used, deleted, longDeleted] = [await add(user), await add(user), await add(user), await add(user)];
      await world.setAvatar(user, avatar.mediaId);
      const conversationId = await world.conversation({ [user]: 1 });
      const now = Date.now();
      await world.carry(conversationId, 1, deleted.mediaId, now + 2 * DAY_MS);
      await world.carry(conversationId, 2, longDeleted.mediaId, now);
      // Everything else of this suite goes here; what was used after that is kept another day.
      await forgetAll(now + 2 * DAY_MS);
      const there = await Promise.all([avatar, deleted, longDeleted].map(({ mediaId }) => isThere(user, mediaId)));
      expect(there).toEqual([true, true, false]);
      expect(await directory.use(user, [used.mediaId])).toEqual([]);
      await forgetAll(now + 4 * DAY_MS);
      expect([await isThere(user, avatar.mediaId), await isThere(user, deleted.mediaId)]).toEqual([true, false]);
    });

    it('never forgets what a send is taking at the same moment: it is there for the send and after it, or for neither', async () => {
      const user = await world.user();
      let taken = 0;
      for (let round = 0; round < 30; round++) {
        const { mediaId } = await add(user);
        // Old enough to be forgotten, until it is used: then it is kept for a day from now, by the same clock.
        const [used] = await Promise.all([
          directory.use(user, [mediaId]),
          directory.forgetUnused(Date.now() + DAY_MS, DAY_MS),
        ]);
        if (used.length === 0) continue;
        taken += 1;
        expect(await isThere(user, mediaId), `round ${round}`).toBe(true);
      }
      expect(taken).toBeGreaterThan(0);
    });
  });
}
