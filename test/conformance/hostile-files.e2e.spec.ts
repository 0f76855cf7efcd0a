import { setTimeout as pause } from 'node:timers/promises';
import { MediaSchema } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetched, upload, uploadAnswer } from '../clients/media-client.js';
import { TestApp } from '../clients/test-app.js';
import type { TestUser } from '../clients/test-user.js';
import { type HostileFile, hostileFiles } from '../media/hostile-files.js';
import { pictureBytes } from '../media/pictures.js';

/** As many as one user may upload at the same time. */
const AT_ONCE = 3;
const ANSWER_MS_MAX = 10_000;
/** Of one process, above what it had before: three bombs at once that went off would be more. */
const GROWTH_BYTES_MAX = 250_000_000;
/** What a browser would run, or show as a page of this server. */
const RUN = /html|xml(?!formats)|svg|javascript|ecmascript|wasm|mhtml|flash/;
const REFUSALS = ['415 unsupported_media_type', '422 media_too_large', '400 validation_failed'];

let app: TestApp;
let ada: TestUser;
let files: HostileFile[];
beforeAll(async () => {
  app = await TestApp.start();
  ada = await app.user();
  files = await hostileFiles();
});
afterAll(() => app.stop());

/** What is wrong with what came of it; null: nothing. */
async function harmOf({ what, bytes, fileName, type }: HostileFile): Promise<string | null> {
  const began = performance.now();
  const answer = await uploadAnswer(ada, { bytes, fileName, type });
  const tookMs = performance.now() - began;
  if (tookMs > ANSWER_MS_MAX) return `${what}: answered after ${Math.round(tookMs)} ms`;
  if (answer.status !== 201) {
    const refusal = `${answer.status} ${(answer.json as { code?: string } | null)?.code}`;
    return REFUSALS.includes(refusal) ? null : `${what}: ${refusal}`;
  }
  const { mimeType, url, thumbnailUrl } = MediaSchema.parse(answer.json);
  if (RUN.test(mimeType)) return `${what}: kept as ${mimeType}`;
  const got = await fetched(ada, url);
  const headers = ['content-type', 'x-content-type-options', 'content-security-policy'].map((name) =>
    got.headers.get(name),
  );
  if (headers[0]?.split(';')[0] !== mimeType || headers[1] !== 'nosniff' || !headers[2]?.includes('sandbox')) {
    return `${what}: served with ${headers.join(', ')}`;
  }
  const isShown = /^(image|video|audio)\//.test(mimeType);
  if (!isShown && !got.headers.get('content-disposition')?.startsWith('attachment')) return `${what}: shown, not saved`;
  if (thumbnailUrl === null) return null;
  const { status } = await fetched(ada, thumbnailUrl);
  return status === 200 || status === 404 ? null : `${what}: its thumbnail is answered ${status}`;
}

async function memoryBytes(): Promise<number[]> {
  const figures = await app.figures();
  return [...figures.matchAll(/^process_resident_memory_bytes (\d+)/gm)].map(([, bytes]) => Number(bytes));
}

describe('a corpus of hostile files', () => {
  it('is refused or kept as what cannot hurt, in bounded time and memory, and the server is as well as before', async () => {
    const harms: string[] = [];
    const waiting = [...files];
    const before = await memoryBytes();
    let growth = 0;
    let isOver = false;
    const watching = (async () => {
      for (; !isOver; await pause(250)) {
        const now = await memoryBytes();
        growth = Math.max(growth, ...now.map((bytes, place) => bytes - (before[place] ?? bytes)));
      }
    })();
    const work = async (): Promise<void> => {
      for (let file = waiting.shift(); file; file = waiting.shift()) {
        const harm = await harmOf(file);
        if (harm !== null) harms.push(harm);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work)).finally(() => (isOver = true));
    expect(harms).toEqual([]);
    expect(files.length).toBeGreaterThan(55);
    await watching;
    expect(growth).toBeLessThan(GROWTH_BYTES_MAX);

    const { thumbnailUrl } = await upload(ada, { bytes: await pictureBytes(400, 300) });
    expect((await fetched(ada, thumbnailUrl ?? '')).status).toBe(200);
  }, 240_000);
});
