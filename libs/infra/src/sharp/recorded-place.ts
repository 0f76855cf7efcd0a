import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** Cameras write it into pictures and films; other files are left alone. */
const CARRIES_PLACE = /^(image|video)\//;
const WINDOW_BYTES = 1_048_576;
/** What is looked for may lie across the end of a window. */
const OVERLAP_BYTES = 64;
/** Both ways in which the block of a camera begins, whatever format it lies in. */
const TIFF_HEADS = [Buffer.from('II*\0', 'latin1'), Buffer.from('MM\0*', 'latin1')];
const XMP_PLACE = Buffer.from('exif:GPS', 'latin1');
const XMP_VALUE = /^exif:GPS\w+(?:\s*=\s*"|\s*=\s*'|>)([^"'<>]*)/;
const XMP_VALUE_BYTES_MAX = 512;
/** ISO 6709, as telephones write it into films: degrees of latitude and longitude, and perhaps the height. */
const FILM_PLACE = /[+-]\d{2}\.\d{2,}[+-]\d{3}\.\d{2,}(?:[+-]\d+(?:\.\d+)?)?/g;
/** More than honest files have; whoever writes more hurts nobody but themselves. */
const FOUND_MAX = 256;
const DIRECTORIES_MAX = 8;
const ENTRIES_MAX = 512;
const VALUE_BYTES_MAX = 4_096;
const CHUNKS_MAX = 10_000;
const ENTRY_BYTES = 12;
const GPS_DIRECTORY = 0x8825;
/** Bytes of one value of each TIFF type, by its number. */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8];
const PNG_HEAD = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/**
 * Overwrites where a picture or film was taken, and nothing else: no pixel is decoded and no byte moves, so every format
 * stays as valid as it was. Exif and XMP in pictures, ISO 6709 in films; not what is compressed inside a PNG's texts.
 * @returns whether anything was there
 */
export async function eraseRecordedPlace(path: string, mimeType: string): Promise<boolean> {
  if (!CARRIES_PLACE.test(mimeType)) return false;
  const handle = await open(path, 'r+');
  try {
    const eraser = new PlaceEraser(handle, (await handle.stat()).size);
    await eraser.erase(mimeType.startsWith('video/'));
    return eraser.hasErased;
  } finally {
    await handle.close();
  }
}

class PlaceEraser {
  private readonly erased: { from: number; to: number }[] = [];
  private found = 0;

  constructor(
    private readonly handle: FileHandle,
    private readonly size: number,
  ) {}

  get hasErased(): boolean {
    return this.erased.length > 0;
  }

  async erase(isFilm: boolean): Promise<void> {
    for (let from = 0; from < this.size; from += WINDOW_BYTES) {
      const window = await this.read(from, WINDOW_BYTES + OVERLAP_BYTES);
      for (const head of TIFF_HEADS) {
        await this.each(window, head, (at) => this.eraseFromCameraBlock(from + at));
      }
      await this.each(window, XMP_PLACE, (at) => this.eraseFromXmp(from + at));
      if (isFilm) await this.eraseFromFilm(window, from);
    }
    if (this.hasErased) await this.mendPng();
  }

  private async each(window: Buffer, wanted: Buffer, work: (at: number) => Promise<void>): Promise<void> {
    for (let at = window.indexOf(wanted); at >= 0 && at < WINDOW_BYTES; at = window.indexOf(wanted, at + 1)) {
      if (++this.found > FOUND_MAX) return;
      await work(at);
    }
  }

  /** A TIFF directory that names the directory of the place. */
  private async eraseFromCameraBlock(base: number): Promise<void> {
    const head = await this.read(base, 8);
    if (head.length < 8) return;
    const isLittle = head.readUInt8(0) === 0x49;
    let offset = uint32(head, 4, isLittle);
    for (let directory = 0; directory < DIRECTORIES_MAX && offset > 0; directory++) {
      const entries = await this.entriesAt(base + offset, isLittle);
      if (!entries) return;
      for (let at = 0; at < entries.length; at += ENTRY_BYTES) {
        if (uint16(entries, at, isLittle) !== GPS_DIRECTORY) continue;
        await this.eraseDirectory(base, base + uint32(entries, at + 8, isLittle), isLittle);
      }
      const next = await this.read(base + offset + 2 + entries.length, 4);
      offset = next.length < 4 ? 0 : uint32(next, 0, isLittle);
    }
  }

  private async eraseDirectory(base: number, at: number, isLittle: boolean): Promise<void> {
    const entries = await this.entriesAt(at, isLittle);
    if (!entries) return;
    for (let entry = 0; entry < entries.length; entry += ENTRY_BYTES) {
      const bytes = (TYPE_BYTES[uint16(entries, entry + 2, isLittle)] ?? 0) * uint32(entries, entry + 4, isLittle);
      const value = base + uint32(entries, entry + 8, isLittle);
      if (bytes > 4 && bytes <= VALUE_BYTES_MAX) await this.overwrite(value, bytes, 0);
    }
    // A directory of no entries.
    await this.overwrite(at, 2 + entries.length, 0);
  }

  /** The entries of a directory; undefined where none is that could be true. */
  private async entriesAt(at: number, isLittle: boolean): Promise<Buffer | undefined> {
    const count = await this.read(at, 2);
    if (count.length < 2) return undefined;
    const bytes = uint16(count, 0, isLittle) * ENTRY_BYTES;
    if (bytes === 0 || bytes > ENTRIES_MAX * ENTRY_BYTES) return undefined;
    const entries = await this.read(at + 2, bytes);
    return entries.length === bytes ? entries : undefined;
  }

  private async eraseFromXmp(at: number): Promise<void> {
    const text = (await this.read(at, XMP_VALUE_BYTES_MAX)).toString('latin1');
    const [whole = '', value = ''] = XMP_VALUE.exec(text) ?? [];
    if (value.trim() !== '') await this.overwrite(at + whole.length - value.length, value.length, 0x20);
  }

  private async eraseFromFilm(window: Buffer, from: number): Promise<void> {
    for (const { index, 0: place } of window.toString('latin1').matchAll(FILM_PLACE)) {
      if (index < WINDOW_BYTES) await this.overwrite(from + index, place.length, 0x20);
    }
  }

  /** Each chunk of a PNG ends with a sum of its bytes. */
  private async mendPng(): Promise<void> {
    if (!(await this.read(0, PNG_HEAD.length)).equals(PNG_HEAD)) return;
    let at = PNG_HEAD.length;
    for (let chunk = 0; chunk < CHUNKS_MAX && at + 12 <= this.size; chunk++) {
      const length = (await this.read(at, 4)).readUInt32BE(0);
      const end = at + 8 + length;
      if (end + 4 > this.size) return;
      if (this.erased.some(({ from, to }) => from < end && to > at)) {
        const sum = Buffer.alloc(4);
        sum.writeUInt32BE(await this.sumOf(at + 4, end));
        await this.handle.write(sum, 0, 4, end);
      }
      at = end + 4;
    }
  }

  private async sumOf(from: number, to: number): Promise<number> {
    let sum = 0;
    for (let at = from; at < to; at += WINDOW_BYTES) {
      sum = crc32(await this.read(at, Math.min(WINDOW_BYTES, to - at)), sum);
    }
    return sum;
  }

  private async overwrite(at: number, bytes: number, value: number): Promise<void> {
    const to = Math.min(at + bytes, this.size);
    if (to <= at) return;
    await this.handle.write(Buffer.alloc(to - at, value), 0, to - at, at);
    this.erased.push({ from: at, to });
  }

  /** As many of the bytes as the file has. */
  private async read(at: number, bytes: number): Promise<Buffer> {
    if (at >= this.size) return Buffer.alloc(0);
    const { buffer, bytesRead } = await this.handle.read(Buffer.alloc(Math.min(bytes, this.size - at)), {
      position: at,
    });
    return buffer.subarray(0, bytesRead);
  }
}

const uint16 = (bytes: Buffer, at: number, isLittle: boolean): number =>
  isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
const uint32 = (bytes: Buffer, at: number, isLittle: boolean): number =>
  isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
