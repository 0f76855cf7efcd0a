import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ParleyError } from './errors.js';
import { MediaDoor } from './media-door.js';
import type { Fetch } from './rest.js';
import { VirtualClock } from './testing/virtual-clock.js';

const MEDIUM = { mediaId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92', url: '/v1/media/x', fileName: 'engine.png' };
const FILE = new Blob(['bytes'], { type: 'image/png' });

let clock: VirtualClock;
let freshness: boolean[];
let faults: unknown[];
beforeEach(() => {
  clock = new VirtualClock();
  freshness = [];
  faults = [];
});
afterEach(() => vi.unstubAllGlobals());

function doorOf(fetch?: Fetch): MediaDoor {
  const tokens = {
    token: async (fresh: boolean) => {
      freshness.push(fresh);
      return fresh ? 'fresh' : 'kept';
    },
  };
  const fault = (cause: unknown): void => void faults.push(cause);
  return new MediaDoor({ url: 'http://chat.example', tokens, clock, random: () => 1, fetch, fault });
}

const answer = (status: number, body: object) => ({
  ok: status < 300,
  status,
  headers: { get: () => null },
  text: async () => JSON.stringify(body),
});
const refused = (code: string, status: number, retryable: boolean) =>
  answer(status, { code, status, detail: code, retryable, type: '', title: '', requestId: '' });
const problemOf = (work: Promise<unknown>) => work.catch((cause: unknown) => cause as ParleyError);

describe('an upload', () => {
  it('is tried again where the network or the server fails it, with pauses, four times', async () => {
    let tries = 0;
    const fetch: Fetch = async () => {
      tries++;
      if (tries === 1) throw new TypeError('cut off');
      return tries === 2 ? refused('overloaded', 503, true) : answer(201, MEDIUM);
    };
    const parts: number[] = [];
    const uploaded = doorOf(fetch).upload(FILE, { onProgress: (part) => parts.push(part) });
    await clock.advance(999);
    expect(tries).toBe(1);
    await clock.advance(1 + 2_000);
    expect(await uploaded).toEqual(MEDIUM);
    expect(parts).toEqual([0, 0, 0, 1]);

    tries = 0;
    const given = problemOf(doorOf(async () => (tries++, Promise.reject(new TypeError('cut off')))).upload(FILE));
    await clock.advance(60_000);
    expect(await given).toMatchObject({ code: 'network', retryable: true });
    expect(tries).toBe(4);
  });

  it('that is refused is not tried again', async () => {
    let tries = 0;
    const fetch: Fetch = async () => (tries++, refused('media_too_large', 422, false));
    await expect(doorOf(fetch).upload(FILE)).rejects.toMatchObject({ code: 'media_too_large', retryable: false });
    expect(tries).toBe(1);
  });

  it('takes a fresh token once when the kept one has run out', async () => {
    const fetch: Fetch = async (_url, { headers }) =>
      headers['authorization'] === 'Bearer fresh' ? answer(201, MEDIUM) : refused('token_expired', 401, false);
    const uploaded = doorOf(fetch).upload(FILE);
    await clock.advance(0);
    expect(await uploaded).toEqual(MEDIUM);
    expect(freshness).toEqual([false, true]);
    const never = problemOf(doorOf(async () => refused('token_expired', 401, false)).upload(FILE));
    await clock.advance(60_000);
    expect(await never).toMatchObject({ code: 'token_expired' });
    expect(freshness).toEqual([false, true, false, true]);
  });

  it('ends at once when it is cancelled, also in a pause, and leaves no timer', async () => {
    const aborted: boolean[] = [];
    const hanging: Fetch = (_url, request) => {
      const { signal } = request as unknown as { signal: AbortSignal };
      signal.addEventListener('abort', () => aborted.push(true));
      return new Promise(() => {});
    };
    const first = new AbortController();
    const hung = problemOf(doorOf(hanging).upload(FILE, { signal: first.signal }));
    await clock.advance(10);
    first.abort();
    expect(await hung).toMatchObject({ code: 'cancelled', retryable: false });
    expect(aborted).toEqual([true]);
    expect(clock.waiting).toBe(0);

    const second = new AbortController();
    const pausing = problemOf(
      doorOf(async () => Promise.reject(new TypeError('cut off'))).upload(FILE, { signal: second.signal }),
    );
    await clock.advance(10);
    second.abort();
    expect(await pausing).toMatchObject({ code: 'cancelled' });
    const before = new AbortController();
    before.abort();
    await expect(doorOf(hanging).upload(FILE, { signal: before.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('goes on though the application fails to show how far it is', async () => {
    let tries = 0;
    const onProgress = (part: number): void => {
      throw new Error(`cannot show ${part}`);
    };
    const uploaded = doorOf(async () => (tries++, answer(201, MEDIUM))).upload(FILE, { onProgress });
    await clock.advance(60_000);
    expect(await uploaded).toEqual(MEDIUM);
    expect(tries).toBe(1);
    expect(faults.map(String)).toEqual(['Error: cannot show 0', 'Error: cannot show 1']);
  });

  it('that nobody can see moving is given up after ten minutes', async () => {
    const late = problemOf(doorOf(() => new Promise(() => {})).upload(FILE));
    await clock.advance(4 * 600_000 + 10_000);
    expect(await late).toMatchObject({ code: 'timeout', retryable: true });
  });
});

/** The browser's, as far as it is used. */
class FakeXhr {
  static readonly made: FakeXhr[] = [];
  status = 0;
  responseText = '';
  wasAborted = false;
  readonly upload: { onprogress: ((event: { loaded: number; total: number }) => void) | null } = { onprogress: null };
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readonly headers: Record<string, string> = {};
  constructor() {
    FakeXhr.made.push(this);
  }
  open(): void {}
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  getResponseHeader(): null {
    return null;
  }
  send(): void {}
  abort(): void {
    this.wasAborted = true;
  }
}

describe('an upload in a browser', () => {
  beforeEach(() => {
    FakeXhr.made.length = 0;
    vi.stubGlobal('XMLHttpRequest', FakeXhr);
  });

  it('says how far it is, and not that it is done before the server has said so', async () => {
    const parts: number[] = [];
    const uploaded = doorOf().upload(FILE, { onProgress: (part) => parts.push(part) });
    await clock.advance(0);
    const [request] = FakeXhr.made;
    expect(request?.headers['authorization']).toBe('Bearer kept');
    for (const loaded of [25, 50, 100]) request?.upload.onprogress?.({ loaded, total: 100 });
    expect(parts).toEqual([0, 0.25, 0.5, 0.99]);
    Object.assign(request ?? {}, { status: 201, responseText: JSON.stringify(MEDIUM) });
    request?.onload?.();
    expect(await uploaded).toEqual(MEDIUM);
    expect(parts.at(-1)).toBe(1);
    expect(clock.waiting).toBe(0);
  });

  it('is tried again when it has not moved for a minute, or was cut off', async () => {
    const uploaded = doorOf().upload(FILE);
    await clock.advance(30_000);
    FakeXhr.made[0]?.upload.onprogress?.({ loaded: 1, total: 100 });
    await clock.advance(59_999);
    expect(FakeXhr.made[0]?.wasAborted).toBe(false);
    await clock.advance(1 + 1_000);
    expect(FakeXhr.made[0]?.wasAborted).toBe(true);
    FakeXhr.made[1]?.onerror?.();
    await clock.advance(2_000);
    Object.assign(FakeXhr.made[2] ?? {}, { status: 201, responseText: JSON.stringify(MEDIUM) });
    FakeXhr.made[2]?.onload?.();
    expect(await uploaded).toEqual(MEDIUM);
  });

  it('is taken back when it is cancelled', async () => {
    const abort = new AbortController();
    const cancelled = problemOf(doorOf().upload(FILE, { signal: abort.signal }));
    await clock.advance(0);
    abort.abort();
    expect(await cancelled).toMatchObject({ code: 'cancelled' });
    expect(FakeXhr.made[0]?.wasAborted).toBe(true);
  });
});
