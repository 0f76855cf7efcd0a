import { type Media, type ParleyClient, ParleyError } from '@parley/sdk';
import { faultText } from '../session/fault-text.js';

/** As many as one message can carry. */
export const ATTACHMENTS_MAX = 10;

export interface Attachment {
  readonly id: number;
  readonly file: File;
  /** An address of the picture in this page; null for other files. */
  readonly previewUrl: string | null;
  /** From 0 to 1. */
  readonly progress: number;
  /** Null until the server has it. */
  readonly media: Media | null;
  /** Why it could not be uploaded; empty where nothing went wrong. */
  readonly fault: string;
  /** False where the server will not take this file, however often it is tried. */
  readonly mayRetry: boolean;
}

/** Pictures that browsers show; others are files. */
const SHOWN_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif']);

/** The files that wait beside a message that is being written; each is uploaded as soon as it is chosen. */
export class Attachments {
  private list: readonly Attachment[] = [];
  private readonly listeners = new Set<() => void>();
  private readonly running = new Map<number, AbortController>();
  private lastId = 0;

  constructor(private readonly client: Pick<ParleyClient, 'media'>) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get all(): readonly Attachment[] {
    return this.list;
  }

  /** @returns how many found no place any more */
  add(files: readonly File[]): number {
    const fitting = files.slice(0, Math.max(0, ATTACHMENTS_MAX - this.list.length));
    const added = fitting.map((file): Attachment => {
      const previewUrl = SHOWN_TYPES.has(file.type) ? URL.createObjectURL(file) : null;
      return { id: ++this.lastId, file, previewUrl, progress: 0, media: null, fault: '', mayRetry: true };
    });
    this.become([...this.list, ...added]);
    for (const attachment of added) void this.upload(attachment);
    return files.length - fitting.length;
  }

  retry(id: number): void {
    const attachment = this.list.find((each) => each.id === id);
    if (!attachment || attachment.fault === '') return;
    this.change(id, { fault: '', progress: 0 });
    void this.upload(attachment);
  }

  remove(id: number): void {
    this.running.get(id)?.abort();
    const gone = this.list.find((each) => each.id === id);
    if (gone?.previewUrl) URL.revokeObjectURL(gone.previewUrl);
    this.become(this.list.filter((each) => each.id !== id));
  }

  clear(): void {
    for (const { id } of this.list) this.remove(id);
  }

  private async upload({ id, file }: Attachment): Promise<void> {
    const controller = new AbortController();
    this.running.set(id, controller);
    try {
      const media = await this.client.media.upload(file, {
        fileName: file.name,
        signal: controller.signal,
        onProgress: (progress) => this.change(id, { progress }),
      });
      this.change(id, { media, progress: 1 });
    } catch (fault) {
      this.change(id, { fault: faultText(fault), mayRetry: !(fault instanceof ParleyError) || fault.retryable });
    } finally {
      this.running.delete(id);
    }
  }

  private change(id: number, change: Partial<Attachment>): void {
    this.become(this.list.map((each) => (each.id === id ? { ...each, ...change } : each)));
  }

  private become(list: readonly Attachment[]): void {
    this.list = list;
    for (const listener of this.listeners) listener();
  }
}
