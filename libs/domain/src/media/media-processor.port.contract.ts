import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MediaProcessor, UnrenderablePicture } from './media-processor.port.js';
import type { InspectedFile } from './media-processor.port.js';
import type { MediaSpool } from './media-spool.port.js';

/** Files by what they are; who opens the suite makes them, since the domain knows no pictures. */
export interface MediaCorpus {
  /** 640 × 480, of each type. */
  pictures: Readonly<Record<'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif' | 'image/avif', Buffer>>;
  /** 900 × 600 as stored, upright when turned; it says where it was taken. */
  phonePicture: Buffer;
  /** Pictures and films that say where they were taken, by type, each in all the ways of that type. */
  placed: Readonly<Record<string, Buffer>>;
  largePicture: Buffer;
  transparentPicture: Buffer;
  /** Says 30,000 × 30,000 pixels in a few bytes. */
  pixelBomb: Buffer;
  /** 1,001 frames. */
  frameBomb: Buffer;
  /** A thousand frames of more pixels together than any screen shows. */
  animationBomb: Buffer;
}

export interface OpenMediaProcessor {
  processor: MediaProcessor;
  spool: MediaSpool;
  /** Where files lie while they are worked on. */
  folder: string;
  corpus: MediaCorpus;
  /** The width and height of a rendition, and the names of what it carries beside pixels. */
  look(bytes: Buffer): Promise<{ width: number; height: number; format: string; carries: string[] }>;
  /** What the bytes say of the place, and what else they say, pixels and author among it. */
  read(bytes: Buffer): Promise<{ place: string[]; rest: unknown }>;
  close(): Promise<void>;
}

const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
const HTML = Buffer.from('<!doctype html><script>alert(document.cookie)</script>');
const ZIP = Buffer.concat([
  Buffer.from('504b03041400000000000000000000000000000000000000000001000000', 'hex'),
  Buffer.from('a'),
]);
const PDF = Buffer.from('%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF');

/** What every adapter behind MediaProcessor must do, hostile files above all. */
export function mediaProcessorContract(name: string, open: () => Promise<OpenMediaProcessor>): void {
  describe(`${name} as MediaProcessor`, () => {
    let opened: OpenMediaProcessor;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());

    async function inspect(bytes: Buffer, fileName = 'file', declaredType = ''): Promise<InspectedFile> {
      const { spool, processor } = opened;
      const file = await spool.receive(Readable.from([bytes]), bytes.length);
      try {
        return await processor.inspect(file, { fileName, declaredType });
      } finally {
        await spool.discard(file);
      }
    }
    const refusal = async (bytes: Buffer, fileName?: string, declaredType?: string): Promise<unknown> =>
      inspect(bytes, fileName, declaredType).then(
        ({ mimeType }) => mimeType,
        ({ code }: { code: string }) => code,
      );
    async function render(bytes: Buffer, screen = false) {
      const { thumbnail, screen: large } = await opened.processor.render(Readable.from([bytes]), { screen });
      const [small, big] = [await readFile(thumbnail.path), large && (await readFile(large.path))];
      await opened.spool.discard(thumbnail);
      if (large) await opened.spool.discard(large);
      return { small: await opened.look(small), large: big && (await opened.look(big)), bytes: small };
    }

    it('finds the type and the size of a picture in its bytes, whatever it is called', async () => {
      for (const [type, bytes] of Object.entries(opened.corpus.pictures)) {
        const found = await inspect(bytes, 'photo.jpg', 'image/jpeg');
        expect(found, type).toEqual({ mimeType: type, width: 640, height: 480, isPicture: true });
      }
    });

    it('measures a picture as it is shown, turned by what its camera says', async () => {
      expect(await inspect(opened.corpus.phonePicture)).toMatchObject({ width: 600, height: 900 });
    });

    it('keeps other files as what they are, texts that a browser would run as plain texts', async () => {
      const found = async (bytes: Buffer, fileName: string, type = ''): Promise<string> =>
        (await inspect(bytes, fileName, type)).mimeType;
      expect(await found(ZIP, 'a.zip', 'application/zip')).toBe('application/zip');
      expect(await found(PDF, 'a.pdf', 'application/pdf')).toBe('application/pdf');
      expect(await found(Buffer.from('Grüße'), 'a.txt', 'text/plain')).toBe('text/plain');
      expect(await found(HTML, 'a.html', 'text/html')).toBe('text/plain');
      expect(await found(SVG, 'a.xml', 'text/xml')).toBe('text/plain');
      expect(await found(Buffer.from('<?xml version="1.0"?><html/>'), 'a.xhtml')).toBe('text/plain');
      expect(await found(Buffer.from([0, 1, 2, 3, 250, 251]), 'a.bin')).toBe('application/octet-stream');
      expect(await found(Buffer.from('export const a = 1;'), 'a.ts', 'video/mp2t')).toBe('text/plain');
    });

    it.each<[string, Buffer, string, string]>([
      ['a page called a picture', HTML, 'cat.png', 'image/png'],
      ['a page declared a picture', HTML, 'cat', 'image/png'],
      ['a page whose name is a picture’s', HTML, 'cat.JPEG', 'application/octet-stream'],
      ['a drawing with a script', SVG, 'drawing.svg', 'image/svg+xml'],
      ['a drawing called a PNG', SVG, 'drawing.png', 'image/png'],
      ['an archive called a picture', ZIP, 'cat.png', 'image/png'],
      ['a text called a film', Buffer.from('text'), 'film.mp4', 'video/mp4'],
      ['the beginning of a PNG and nothing else', Buffer.from('89504e470d0a1a0a', 'hex'), 'cat.png', 'image/png'],
      ['a GIF that is a program', Buffer.from('GIF89a/*<script>*/=1;alert(1)'), 'cat.gif', 'image/gif'],
      [
        'a JPEG of noise',
        Buffer.concat([Buffer.from('ffd8ffe000104a464946', 'hex'), Buffer.alloc(500, 7)]),
        'a.jpg',
        '',
      ],
    ])('refuses %s', async (_what, bytes, fileName, declaredType) => {
      expect(await refusal(bytes, fileName, declaredType)).toBe('unsupported_media_type');
    });

    it('refuses what has too many pixels or frames, from its head, without decoding it', async () => {
      const { pixelBomb, frameBomb, animationBomb } = opened.corpus;
      expect(pixelBomb.length).toBeLessThan(30_000);
      expect(await refusal(pixelBomb, 'bomb.png', 'image/png')).toBe('media_too_large');
      expect(await refusal(frameBomb, 'bomb.gif', 'image/gif')).toBe('media_too_large');
      expect(await refusal(animationBomb, 'bomb.gif', 'image/gif')).toBe('media_too_large');
    });

    it('makes a small picture of every type, and a large one where it is asked for', async () => {
      for (const [type, bytes] of Object.entries(opened.corpus.pictures)) {
        expect((await render(bytes)).small, type).toMatchObject({ width: 320, height: 240, format: 'webp' });
      }
      const { small, large } = await render(opened.corpus.largePicture, true);
      expect([small.width, large?.width]).toEqual([320, 1_600]);
    });

    it('makes no picture larger than it was, and keeps what is transparent', async () => {
      const { small } = await render(opened.corpus.transparentPicture, true);
      expect(small).toMatchObject({ width: 20, height: 10, carries: ['alpha'] });
    });

    it('turns it upright, and leaves out where it was taken', async () => {
      expect((await opened.look(opened.corpus.phonePicture)).carries).toContain('exif');
      const { small, bytes } = await render(opened.corpus.phonePicture);
      expect(small).toMatchObject({ width: 213, height: 320, carries: [] });
      expect(bytes.includes('Exif')).toBe(false);
    });

    it('takes out of an original where it was taken, and nothing else', async () => {
      const { spool, processor, corpus } = opened;
      for (const [type, bytes] of Object.entries(corpus.placed)) {
        const before = await opened.read(bytes);
        expect(before.place.length, type).toBeGreaterThan(0);
        const given = await spool.receive(Readable.from([bytes]), bytes.length);
        const file = await processor.withoutPlace(given, type);
        const kept = await readFile(file.path);
        expect(await opened.read(kept), type).toEqual({ place: [], rest: before.rest });
        const sha256 = createHash('sha256').update(kept).digest('hex');
        expect([file.sizeBytes, file.sha256], type).toEqual([bytes.length, sha256]);
        await spool.discard(file);
      }
    });

    it('gives a file that says nothing of a place back as it is', async () => {
      const { spool, processor, corpus } = opened;
      const bytes = [...Object.entries(corpus.pictures), ['text/plain', corpus.phonePicture] as const];
      for (const [type, content] of bytes) {
        const given = await spool.receive(Readable.from([content]), content.length);
        expect(await processor.withoutPlace(given, type), type).toEqual(given);
        expect((await readFile(given.path)).equals(content), type).toBe(true);
        await spool.discard(given);
      }
    });

    it('gives up a picture that cannot be made, and is as well as before', async () => {
      const { pictures, pixelBomb } = opened.corpus;
      const png = pictures['image/png'];
      const hostile = [
        pixelBomb,
        png.subarray(0, 60),
        Buffer.concat([png.subarray(0, 40), Buffer.alloc(5_000, 0xff)]),
        SVG,
        HTML,
        Buffer.alloc(0),
      ];
      for (const bytes of hostile) await expect(render(bytes)).rejects.toBeInstanceOf(UnrenderablePicture);
      expect((await render(png)).small.width).toBe(320);
    });

    it('leaves nothing behind', async () => {
      await writeFile(join(opened.folder, 'somebody-else'), '');
      expect(await readdir(opened.folder)).toEqual(['somebody-else']);
    });
  });
}
