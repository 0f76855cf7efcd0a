import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  type MediaDirectory,
  type MediaRecord,
  type MediaStorage,
  MediaWork,
  RENDER_ATTEMPTS_MAX,
} from '@parley/domain';
import sharp from 'sharp';
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, it } from 'vitest';
import { pictureBytes } from '../../../../test/media/pictures.js';
import { picture } from '../../../domain/src/media/testing/given-media.js';
import { FolderMediaSpool } from '../folder/folder-media-spool.js';
import { FolderMediaStorage } from '../folder/folder-media-storage.js';
import { type Database, openDatabase } from '../postgres/database.js';
import { startTestPostgres, type TestPostgres } from '../postgres/embedded/testing.js';
import { PostgresMediaDirectory } from '../postgres/media/postgres-media-directory.js';
import { SharpMediaProcessor } from './sharp-media-processor.js';

const OWNER = randomUUID();
const DAY_MS = 24 * 60 * 60_000;

describe('the work on media', () => {
  let server: TestPostgres;
  let database: Database;
  let directory: PostgresMediaDirectory;
  let folder: string;
  let spool: FolderMediaSpool;
  let storage: FolderMediaStorage;
  let troubles: string[];
  let work: MediaWork;
  beforeAll(async () => {
    server = await startTestPostgres();
    database = await openDatabase({ url: server.url, poolSize: 5 });
    directory = new PostgresMediaDirectory(database.pool);
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-media-work-'));
    spool = await FolderMediaSpool.open(join(folder, 'spool'));
    storage = new FolderMediaStorage(join(folder, 'files'));
    troubles = [];
    work = workWith({});
  });
  afterEach(async () => {
    await work.stop();
    await database.pool.query('TRUNCATE media, media_use, media_garbage, media_usage');
    await rm(folder, { recursive: true, force: true });
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
  });

  function workWith(parts: { directory?: MediaDirectory; storage?: MediaStorage }): MediaWork {
    const processor = new SharpMediaProcessor({ spool, workFolder: join(folder, 'spool'), pixelsMax: 50_000_000 });
    const onTrouble = (what: string): void => void troubles.push(what);
    return new MediaWork({ directory, storage, spool, processor, onTrouble, ...parts });
  }
  async function stored(bytes: Buffer, changes: Partial<MediaRecord> = {}): Promise<MediaRecord> {
    const medium = picture(OWNER, { sizeBytes: bytes.length, ...changes });
    await directory.add(medium, 1_000_000_000);
    const file = await spool.receive(Readable.from([bytes]), bytes.length);
    await storage.put(medium.mediaId, 'original', file);
    await directory.stored(medium.mediaId);
    return medium;
  }
  const stateOf = async ({ mediaId }: MediaRecord) => (await directory.findFor(OWNER, mediaId))?.renditions;
  const spooled = () => readdir(join(folder, 'spool'));

  it('makes the smaller pictures of what was uploaded, and leaves nothing on its way', async () => {
    const large = await stored(await pictureBytes(2_000, 1_000, 'jpeg'), { width: 2_000, height: 1_000 });
    const small = await stored(await pictureBytes(100, 50));
    work.start();
    await expect.poll(() => stateOf(large), { timeout: 20_000 }).toBe('both');
    await expect.poll(() => stateOf(small), { timeout: 20_000 }).toBe('thumbnail');
    const widths = await Promise.all(
      (['thumbnail', 'screen'] as const).map(async (variant) => {
        const bytes = await buffer(await storage.read(large.mediaId, variant));
        return (await sharp(bytes).metadata()).width;
      }),
    );
    expect(widths).toEqual([320, 1_600]);
    expect(await storage.size(small.mediaId, 'screen')).toBeNull();
    expect(await spooled()).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it('gives up a picture whose bytes are broken, and goes on with the next', async () => {
    const whole = await pictureBytes(300, 200);
    const broken = await stored(Buffer.concat([whole.subarray(0, 50), Buffer.alloc(500, 0xee)]));
    const good = await stored(whole);
    expect([await work.renderNext(), await work.renderNext(), await work.renderNext()]).toEqual([true, true, false]);
    expect([await stateOf(broken), await stateOf(good)]).toEqual(['failed', 'thumbnail']);
    expect(await spooled()).toEqual([]);
  });

  it('tries again what failed for another reason, and gives up a picture that brings its worker down each time', async () => {
    const medium = await stored(await pictureBytes(300, 200));
    class Dying extends FolderMediaStorage {
      override read(): Promise<Readable> {
        return Promise.reject(new Error('the disk does not answer'));
      }
    }
    const unlucky = workWith({ storage: new Dying(join(folder, 'files')) });
    for (let attempt = 1; attempt <= RENDER_ATTEMPTS_MAX; attempt++) {
      expect(await unlucky.renderNext()).toBe(true);
      expect(await stateOf(medium)).toBe('pending');
      expect(await work.renderNext()).toBe(false);
      await database.pool.query(`UPDATE media SET render_lease_until = now() - interval '1 second'`);
    }
    expect(troubles).toHaveLength(RENDER_ATTEMPTS_MAX);
    await work.renderNext();
    expect(await stateOf(medium)).toBe('failed');
  });

  it('leaves no smaller pictures of what was forgotten while they were made', async () => {
    const medium = await stored(await pictureBytes(300, 200));
    class Forgetting extends PostgresMediaDirectory {
      override async rendered(...[mediaId, state]: Parameters<MediaDirectory['rendered']>): Promise<boolean> {
        await this.discard(mediaId);
        return super.rendered(mediaId, state);
      }
    }
    await workWith({ directory: new Forgetting(database.pool) }).renderNext();
    expect(await storage.size(medium.mediaId, 'thumbnail')).toBeNull();
    expect(await storage.size(medium.mediaId, 'original')).toBeNull();
  });

  it('deletes, after a day, what nothing uses, with its smaller pictures, and keeps what is used', async () => {
    const [unused, used] = [await stored(await pictureBytes(30, 20)), await stored(await pictureBytes(30, 20))];
    while (await work.renderNext());
    await database.pool.query(
      `INSERT INTO media_use (conversation_id, message_id, seq, media_id) VALUES ($1, 1, 1, $2)`,
      [randomUUID(), used.mediaId],
    );
    await work.collect(Date.now() + DAY_MS - 60_000);
    expect(await storage.size(unused.mediaId, 'original')).not.toBeNull();
    await work.collect(Date.now() + DAY_MS + 1_000);
    for (const variant of ['original', 'thumbnail'] as const) {
      expect(await storage.size(unused.mediaId, variant)).toBeNull();
      expect(await storage.size(used.mediaId, variant)).not.toBeNull();
    }
    expect(await directory.garbage(10)).toEqual([]);
  });

  it('deletes bytes later that it could not delete now', async () => {
    const medium = await stored(await pictureBytes(30, 20));
    class ReadOnly extends FolderMediaStorage {
      override remove(): Promise<void> {
        return Promise.reject(new Error('the disk is read-only'));
      }
    }
    const unlucky = workWith({ storage: new ReadOnly(join(folder, 'files')) });
    await expect(unlucky.collect(Date.now() + DAY_MS + 1_000)).rejects.toThrow('read-only');
    expect(await directory.garbage(10)).toEqual([medium.mediaId]);
    await work.collect(Date.now());
    expect(await directory.garbage(10)).toEqual([]);
    expect(await storage.size(medium.mediaId, 'original')).toBeNull();
  });
});
