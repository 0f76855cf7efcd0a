import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaVariant, SpooledFile } from './media-record.js';
import type { MediaStorage } from './media-storage.port.js';

export interface OpenMediaStorage {
  storage: MediaStorage;
  close(): Promise<void>;
}

/** More than one part of an upload in parts. */
const LARGE_BYTES = 20_000_000;

/** What every adapter behind MediaStorage must do. */
export function mediaStorageContract(name: string, open: () => Promise<OpenMediaStorage>): void {
  describe(`${name} as MediaStorage`, () => {
    let opened: OpenMediaStorage;
    let folder: string;
    beforeAll(async () => {
      opened = await open();
      folder = await mkdtemp(join(tmpdir(), 'parley-media-storage-'));
    });
    afterAll(async () => {
      await opened.close();
      await rm(folder, { recursive: true, force: true });
    });

    async function spooled(bytes: Buffer): Promise<SpooledFile> {
      const path = join(folder, randomUUID());
      await writeFile(path, bytes);
      return { path, sizeBytes: bytes.length, sha256: '' };
    }
    async function put(bytes: Buffer, mediaId: string = randomUUID(), variant: MediaVariant = 'original') {
      const file = await spooled(bytes);
      await opened.storage.put(mediaId, variant, file, 'application/octet-stream');
      return { mediaId, file };
    }
    const all = async (mediaId: string, variant: MediaVariant = 'original'): Promise<Buffer> =>
      buffer(await opened.storage.read(mediaId, variant));

    it('gives back what it took over, byte by byte, and the file is gone', async () => {
      const bytes = randomBytes(100_000);
      const { mediaId, file } = await put(bytes);
      expect((await all(mediaId)).equals(bytes)).toBe(true);
      expect(await opened.storage.size(mediaId, 'original')).toBe(bytes.length);
      expect(existsSync(file.path)).toBe(false);
    });

    it('takes what is larger than a part', async () => {
      const bytes = randomBytes(LARGE_BYTES);
      const { mediaId } = await put(bytes);
      expect((await all(mediaId)).equals(bytes)).toBe(true);
    });

    it('gives a range, its first and its last byte among it', async () => {
      const bytes = randomBytes(1_000);
      const { mediaId } = await put(bytes);
      const range = await opened.storage.read(mediaId, 'original', { from: 10, to: 19 });
      expect((await buffer(range)).equals(bytes.subarray(10, 20))).toBe(true);
      const last = await opened.storage.read(mediaId, 'original', { from: 999, to: 999 });
      expect((await buffer(last)).equals(bytes.subarray(999))).toBe(true);
    });

    it('keeps the variants of a medium apart, and replaces one that comes again', async () => {
      const { mediaId } = await put(Buffer.from('original'));
      await put(Buffer.from('first'), mediaId, 'thumbnail');
      await put(Buffer.from('second'), mediaId, 'thumbnail');
      expect(String(await all(mediaId))).toBe('original');
      expect(String(await all(mediaId, 'thumbnail'))).toBe('second');
      expect(await opened.storage.size(mediaId, 'screen')).toBeNull();
    });

    it('says that there is nothing where there is nothing', async () => {
      const mediaId = randomUUID();
      expect(await opened.storage.size(mediaId, 'original')).toBeNull();
      await expect(opened.storage.read(mediaId, 'original')).rejects.toMatchObject({ code: 'not_found' });
    });

    it('deletes every variant, of this medium alone, and does not mind doing it again', async () => {
      const { mediaId } = await put(Buffer.from('original'));
      await put(Buffer.from('small'), mediaId, 'thumbnail');
      const other = await put(Buffer.from('other'));
      for (let time = 0; time < 2; time++) await opened.storage.remove(mediaId);
      expect(await opened.storage.size(mediaId, 'original')).toBeNull();
      expect(await opened.storage.size(mediaId, 'thumbnail')).toBeNull();
      expect(String(await all(other.mediaId))).toBe('other');
    });

    it('takes nothing for a name that is no id', async () => {
      const file = await spooled(Buffer.from('x'));
      const outside = opened.storage.put('../../outside', 'original', file, 'text/plain');
      await expect(outside).rejects.toThrow('A medium is named by a UUID');
    });

    it('gives the bytes under a link, with the headers that were asked for, if it has links', async () => {
      const { mediaId } = await put(Buffer.from('shown elsewhere'));
      const headers = { mimeType: 'text/plain', disposition: 'attachment; filename="a.txt"' };
      const link = await opened.storage.link(mediaId, 'original', headers, 60);
      if (link === null) return;
      const answer = await fetch(link);
      expect([answer.status, await answer.text()]).toEqual([200, 'shown elsewhere']);
      expect(answer.headers.get('content-type')).toBe('text/plain');
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="a.txt"');
    });
  });
}
