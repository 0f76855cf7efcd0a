import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaSpool } from './media-spool.port.js';

export interface OpenMediaSpool {
  spool: MediaSpool;
  /** Where its files lie, and another folder on the same file system. */
  folder: string;
  elsewhere: string;
  close(): Promise<void>;
}

/** What every adapter behind MediaSpool must do. */
export function mediaSpoolContract(name: string, open: () => Promise<OpenMediaSpool>): void {
  describe(`${name} as MediaSpool`, () => {
    let opened: OpenMediaSpool;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    const left = (): Promise<string[]> => readdir(opened.folder);

    it('writes a stream to a file, and says how many bytes came and what their hash is', async () => {
      const bytes = randomBytes(300_000);
      const file = await opened.spool.receive(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]), bytes.length);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(file).toMatchObject({ sizeBytes: bytes.length, sha256 });
      expect((await readFile(file.path)).equals(bytes)).toBe(true);
      await opened.spool.discard(file);
      await opened.spool.discard(file);
      expect(existsSync(file.path)).toBe(false);
    });

    it('stops at the first byte too many, and leaves no file', async () => {
      let read = 0;
      const endless = Readable.from(
        (function* () {
          for (;;) {
            read += 1_000;
            yield Buffer.alloc(1_000);
          }
        })(),
      );
      await expect(opened.spool.receive(endless, 10_000)).rejects.toMatchObject({ code: 'payload_too_large' });
      expect(read).toBeLessThan(1_000_000);
      expect(endless.destroyed).toBe(true);
      expect(await left()).toEqual([]);
    });

    it('takes as many bytes as are allowed', async () => {
      const file = await opened.spool.receive(Readable.from([Buffer.alloc(10_000)]), 10_000);
      expect(file.sizeBytes).toBe(10_000);
      await opened.spool.discard(file);
    });

    it('leaves no file of a stream that breaks off', async () => {
      const broken = Readable.from(
        (async function* () {
          yield Buffer.alloc(1_000);
          throw new Error('the line was cut');
        })(),
      );
      await expect(opened.spool.receive(broken, 10_000)).rejects.toThrow('the line was cut');
      expect(await left()).toEqual([]);
    });

    it('adopts what another program has written', async () => {
      const path = join(opened.elsewhere, 'made');
      await writeFile(path, 'made elsewhere');
      const file = await opened.spool.adopt(path);
      const sha256 = createHash('sha256').update('made elsewhere').digest('hex');
      expect(file).toMatchObject({ sizeBytes: 14, sha256 });
      expect(existsSync(path)).toBe(false);
      expect(await readFile(file.path, 'utf8')).toBe('made elsewhere');
      await opened.spool.discard(file);
    });
  });
}
