import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fetched, upload } from '../clients/media-client.js';
import { TestUser } from '../clients/test-user.js';
import { ServerProcess } from '../no-loss/server-process.js';
import { pictureBytes } from './pictures.js';

const END_TIMEOUT_MS = 10_000;

let dataDir: string;
let server: ServerProcess;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'parley-test-postgres-media-'));
  server = await ServerProcess.prepare(dataDir);
  await server.start();
}, 240_000);
afterAll(async () => {
  await server.destroy();
  await rm(dataDir, { recursive: true, force: true });
});

it('a thumbnail whose worker was killed in the middle is made by the next one', async () => {
  const ada = await TestUser.signUp(server.url);
  const media = await upload(ada, { bytes: await pictureBytes(6_000, 4_000, 'jpeg'), fileName: 'a.jpg' });
  const isBeingMade = async (): Promise<boolean> => {
    const names = await readdir(join(dataDir, 'media', 'spool'));
    return names.some((name) => name.startsWith('render-'));
  };
  await expect.poll(isBeingMade, { timeout: 10_000, interval: 2 }).toBe(true);
  server.signal('SIGKILL');
  expect((await server.end(END_TIMEOUT_MS)).signal).toBe('SIGKILL');
  const stored = await readdir(join(dataDir, 'media', 'files', media.mediaId.slice(0, 2), media.mediaId));
  expect(stored).toEqual(['original']);

  await server.start();
  const thumbnail = async (): Promise<number> => (await fetched(ada, `/v1/media/${media.mediaId}/thumbnail`)).status;
  await expect.poll(thumbnail, { timeout: 150_000, interval: 200 }).toBe(200);
  const { bytes } = await fetched(ada, `/v1/media/${media.mediaId}/screen`);
  expect((await sharp(bytes).metadata()).width).toBe(1_600);
}, 240_000);
