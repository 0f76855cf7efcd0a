import type { MediaDirectory, RenderJob } from './media-directory.port.js';
import { UNUSED_MEDIA_MS } from './media-limits.js';
import { type MediaProcessor, UnrenderablePicture } from './media-processor.port.js';
import { deservesScreenRendition, RENDITION_TYPE } from './media-record.js';
import type { MediaSpool } from './media-spool.port.js';
import type { MediaStorage } from './media-storage.port.js';

export interface MediaWorkParts {
  directory: MediaDirectory;
  storage: MediaStorage;
  spool: MediaSpool;
  processor: MediaProcessor;
  onTrouble: (what: string, error: unknown) => void;
}

/** Longer than a rendering can take: after it the worker that had the job is dead. */
export const RENDER_LEASE_MS = 30_000;
/** A picture that brought its worker down so often is given up. */
export const RENDER_ATTEMPTS_MAX = 3;
const RENDERINGS_AT_ONCE = 2;
const IDLE_MS = 500;
const TROUBLE_MS = 5_000;
const COLLECT_EVERY_MS = 10 * 60_000;
/** Pieces of one round of the collection; the rest waits for the next one. */
const PIECES_PER_ROUND_MAX = 50;
const SWEPT_AT_ONCE = 100;

/** What is done about media after they were uploaded: smaller pictures are made, and what nothing uses is deleted. */
export class MediaWork {
  private stopping = false;
  private readonly running: Promise<void>[] = [];
  private readonly wakes = new Set<() => void>();

  constructor(private readonly parts: MediaWorkParts) {}

  start(): void {
    for (let worker = 0; worker < RENDERINGS_AT_ONCE; worker++) {
      this.running.push(this.repeat('Pictures cannot be made smaller', IDLE_MS, () => this.renderNext()));
    }
    const collecting = async (): Promise<boolean> => {
      await this.collect(Date.now());
      return false;
    };
    this.running.push(this.repeat('Media that nothing uses cannot be deleted', COLLECT_EVERY_MS, collecting));
  }

  /** Resolves when what was under way has ended. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const wake of this.wakes) wake();
    await Promise.all(this.running);
  }

  /** Makes the smaller pictures of one medium; false when none waits for them. */
  async renderNext(): Promise<boolean> {
    const job = await this.parts.directory.claimRendering(RENDER_LEASE_MS);
    if (!job) return false;
    await this.render(job);
    return true;
  }

  /** One round: forgets what nothing has used for a day, and deletes the bytes of what is forgotten. */
  async collect(nowMs: number): Promise<void> {
    const { directory, storage } = this.parts;
    for (let piece = 0; piece < PIECES_PER_ROUND_MAX && !this.stopping; piece++) {
      if ((await directory.forgetUnused(nowMs, UNUSED_MEDIA_MS)) === 0) break;
    }
    for (let piece = 0; piece < PIECES_PER_ROUND_MAX && !this.stopping; piece++) {
      const mediaIds = await directory.garbage(SWEPT_AT_ONCE);
      if (mediaIds.length === 0) return;
      // Bytes first: a process that dies in between deletes them again, which is no error.
      for (const mediaId of mediaIds) await storage.remove(mediaId);
      await directory.swept(mediaIds);
    }
  }

  private async render({ medium, attempt }: RenderJob): Promise<void> {
    const { directory, storage, onTrouble } = this.parts;
    const { mediaId } = medium;
    if (attempt > RENDER_ATTEMPTS_MAX) {
      await directory.rendered(mediaId, 'failed');
      return;
    }
    let state: 'thumbnail' | 'both' | 'failed';
    try {
      state = await this.makeRenditions(medium.mediaId, deservesScreenRendition(medium));
    } catch (error) {
      if (!(error instanceof UnrenderablePicture)) {
        onTrouble('A picture could not be made smaller; it will be tried again', error);
        return;
      }
      state = 'failed';
    }
    // Collected meanwhile: what was just stored would never be found again.
    if (!(await directory.rendered(mediaId, state))) await storage.remove(mediaId);
  }

  private async makeRenditions(mediaId: string, wantsScreen: boolean): Promise<'thumbnail' | 'both'> {
    const { storage, spool, processor } = this.parts;
    const original = await storage.read(mediaId, 'original');
    const { thumbnail, screen } = await processor.render(original, { screen: wantsScreen });
    try {
      await storage.put(mediaId, 'thumbnail', thumbnail, RENDITION_TYPE);
      if (screen) await storage.put(mediaId, 'screen', screen, RENDITION_TYPE);
    } finally {
      await spool.discard(thumbnail);
      if (screen) await spool.discard(screen);
    }
    return screen ? 'both' : 'thumbnail';
  }

  /** Does it again at once while there is more to do, otherwise after a while; trouble is told once, and lived through. */
  private async repeat(trouble: string, idleMs: number, work: () => Promise<boolean>): Promise<void> {
    let wasWell = true;
    while (!this.stopping) {
      let waitMs = idleMs;
      try {
        if (await work()) waitMs = 0;
        wasWell = true;
      } catch (error) {
        if (wasWell) this.parts.onTrouble(trouble, error);
        wasWell = false;
        waitMs = TROUBLE_MS;
      }
      if (waitMs > 0) await this.pause(waitMs);
    }
  }

  private pause(ms: number): Promise<void> {
    if (this.stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      timer.unref();
      this.wakes.add(wake);
    });
  }
}
