import { backOffMs, inTime, pause, type Clock } from './clock.js';
import { tell } from './emitter.js';
import { ParleyError, toParleyError } from './errors.js';
import { refusal, type Fetch } from './rest.js';
import type { TokenSource } from './tokens.js';
import type { Media } from './wire.js';

/** A browser's or Node's `Blob` or `File`, or what React Native takes for one. */
export type UploadSource =
  | { readonly size: number; readonly type: string }
  | { readonly uri: string; readonly name: string; readonly type: string };

/** As much of an `AbortSignal` as is used. */
export interface CancelSignal {
  readonly aborted: boolean;
  addEventListener(name: 'abort', listener: () => void): void;
  removeEventListener(name: 'abort', listener: () => void): void;
}

export interface UploadOptions {
  /** As others see it; a `File` brings its own. */
  readonly fileName?: string;
  /** From 0 to 1; where the platform does not say how far it is, only 0 and 1. */
  readonly onProgress?: (part: number) => void;
  readonly signal?: CancelSignal;
}

const TRIES_MAX = 4;
const RETRY_FIRST_MS = 1_000;
const RETRY_MS_MAX = 15_000;
/** An upload of which nothing has moved for so long is given up. */
const STALLED_MS = 60_000;
/** Where nothing can be seen of its way: at 50 KB a second, 30 MB. */
const UNSEEN_MS_MAX = 600_000;

interface Form {
  append(name: string, value: unknown, fileName?: string): void;
}

/** As much of an XMLHttpRequest as is used: the one way to see how far an upload is. */
interface Xhr {
  status: number;
  responseText: string;
  readonly upload: { onprogress: ((event: { loaded: number; total: number }) => void) | null };
  onload: (() => void) | null;
  onerror: (() => void) | null;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(body: unknown): void;
  abort(): void;
}

interface UploadAnswer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
}

interface Attempt {
  readonly url: string;
  readonly token: string;
  readonly form: Form;
  readonly onProgress: (part: number) => void;
  readonly cancelled: Promise<never>;
}

interface MediaParts {
  readonly url: string;
  readonly tokens: TokenSource;
  readonly clock: Clock;
  readonly random: () => number;
  /** The platform's own unless given. */
  readonly fetch?: Fetch | undefined;
  /** Told of what `onProgress` throws. */
  readonly fault: (cause: unknown) => void;
}

/** Files that are sent with messages, or made an avatar. */
export class MediaDoor {
  /** @internal */
  constructor(private readonly parts: MediaParts) {}

  /**
   * Brings a file to the server, again where the network failed it; what to send is `mediaIds` or, so that it shows while
   * it is being sent, `media`. A file that is brought twice and sent once is one message: the other one is forgotten.
   * @throws ParleyError `cancelled`; `payload_too_large`, `media_too_large`, `media_quota_exceeded`,
   *   `unsupported_media_type`; `network` or `timeout` when it did not help to try again
   */
  async upload(file: UploadSource, options: UploadOptions = {}): Promise<Media> {
    const { clock, random } = this.parts;
    const cancellation = cancellationOf(options.signal);
    let isFresh = false;
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.tryOnce(file, options, isFresh, cancellation.promise);
        } catch (cause) {
          const error = toParleyError(cause);
          const mayRenew = error.code === 'token_expired' && !isFresh;
          if (mayRenew) isFresh = true;
          else if (!error.retryable || attempt >= TRIES_MAX) throw error;
          const waitMs = mayRenew
            ? 0
            : (error.retryAfterMs ?? backOffMs(attempt - 1, RETRY_FIRST_MS, RETRY_MS_MAX, random));
          await Promise.race([pause(clock, waitMs), cancellation.promise]);
        }
      }
    } finally {
      cancellation.end();
    }
  }

  /** The whole address of what a medium or a user names by a path: good for an hour, then to be read anew. */
  url(path: string): string {
    return /^https?:/.test(path) ? path : this.parts.url + path;
  }

  private async tryOnce(
    file: UploadSource,
    { fileName, onProgress }: UploadOptions,
    isFresh: boolean,
    cancelled: Promise<never>,
  ): Promise<Media> {
    const form = new (globalThis as unknown as { FormData: new () => Form }).FormData();
    if (fileName === undefined) form.append('file', file);
    else form.append('file', file, fileName);
    const token = await Promise.race([this.parts.tokens.token(isFresh), cancelled]);
    const report = (part: number): void => onProgress && tell(onProgress, part, this.parts.fault);
    report(0);
    const attempt = { url: `${this.parts.url}/v1/media/upload`, token, form, onProgress: report, cancelled };
    const Request = (globalThis as { XMLHttpRequest?: new () => Xhr }).XMLHttpRequest;
    const isSeen = Request !== undefined && this.parts.fetch === undefined;
    const answer = await (isSeen ? this.byXhr(new Request(), attempt) : this.byFetch(attempt));
    if (answer.status !== 201) throw refusal(answer.status, answer.text, answer.retryAfter);
    report(1);
    return JSON.parse(answer.text) as Media;
  }

  private async byXhr(request: Xhr, { url, token, form, onProgress, cancelled }: Attempt): Promise<UploadAnswer> {
    let cancelStall = (): void => {};
    const answer = new Promise<UploadAnswer>((done, fail) => {
      const watch = (): void => {
        cancelStall();
        const stalled = new ParleyError('timeout', 'The upload takes too long');
        cancelStall = this.parts.clock.after(STALLED_MS, () => fail(stalled));
      };
      request.upload.onprogress = ({ loaded, total }) => {
        watch();
        // The last byte has left; that it has arrived, the answer says.
        if (total > 0) onProgress(Math.min(0.99, loaded / total));
      };
      request.onload = () => {
        const retryAfter = request.getResponseHeader('retry-after');
        done({ status: request.status, text: request.responseText, retryAfter });
      };
      request.onerror = () => fail(new ParleyError('network', 'The connection was lost'));
      watch();
      request.open('POST', url);
      request.setRequestHeader('authorization', `Bearer ${token}`);
      request.send(form);
    });
    try {
      return await Promise.race([answer, cancelled]);
    } catch (cause) {
      request.abort();
      throw cause;
    } finally {
      cancelStall();
    }
  }

  private async byFetch({ url, token, form, cancelled }: Attempt): Promise<UploadAnswer> {
    const abort = new AbortController();
    const send = (this.parts.fetch ?? globalThis.fetch) as (url: string, request: object) => ReturnType<Fetch>;
    const request = { method: 'POST', headers: { authorization: `Bearer ${token}` }, body: form, signal: abort.signal };
    const answered = async (): Promise<UploadAnswer> => {
      const answer = await send(url, request);
      return { status: answer.status, text: await answer.text(), retryAfter: answer.headers.get('retry-after') };
    };
    try {
      const work = Promise.race([answered(), cancelled]);
      return await inTime(this.parts.clock, UNSEEN_MS_MAX, 'The upload takes too long', work);
    } catch (cause) {
      abort.abort();
      throw cause;
    }
  }
}

/** Rejects when it is cancelled; waits for ever otherwise. */
function cancellationOf(signal: CancelSignal | undefined): { promise: Promise<never>; end: () => void } {
  let cancel = (): void => {};
  const promise = new Promise<never>((_, fail) => {
    cancel = () => fail(new ParleyError('cancelled', 'The upload was cancelled'));
  });
  // Somebody waits for it only while something else is under way.
  promise.catch(() => {});
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);
  return { promise, end: () => signal?.removeEventListener('abort', cancel) };
}
