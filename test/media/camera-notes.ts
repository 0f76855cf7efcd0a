import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { pictureBytes } from './pictures.js';

const GPS_DIRECTORY = 0x8825;
const ENTRY_BYTES = 12;
const XMP = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 exif:GPSLatitude="51,30.444N" dc:creator="Ada"><exif:GPSLongitude>0,7.668W</exif:GPSLongitude></rdf:Description>
</rdf:RDF></x:xmpmeta>`;
const FILM_PLACE = '+51.5074-000.1278/';

/** Pictures and a film that say where they were taken, in the ways of cameras and telephones. */
export async function placedFiles(): Promise<Record<string, Buffer>> {
  const placed: Record<string, Buffer> = { 'video/mp4': filmWithPlace() };
  for (const type of ['jpeg', 'png', 'webp', 'avif'] as const) {
    const place = {
      GPSLatitudeRef: 'N',
      GPSLatitude: '51/1 30/1 0/1',
      GPSLongitudeRef: 'W',
      GPSLongitude: '0/1 7/1 0/1',
    };
    const noted = sharp(await pictureBytes(64, 48)).withExif({ IFD0: { Copyright: 'Ada' }, IFD3: place });
    // In a PNG it would be compressed, and stay.
    placed[`image/${type}`] = await (type === 'png' ? noted : noted.withXmp(XMP)).toFormat(type).toBuffer();
  }
  return { ...placed, 'image/jpeg; big endian': withCameraBlock(await pictureBytes(64, 48, 'jpeg'), bigEndianBlock()) };
}

/** What the bytes say of the place where they were made, and everything else. */
export async function notesIn(bytes: Buffer): Promise<{ place: string[]; rest: unknown }> {
  if (bytes.includes('ftyp') && bytes.includes('\u00a9xyz', 0, 'latin1')) {
    const at = bytes.indexOf('\u00a9xyz', 0, 'latin1') + 8;
    const place = bytes.toString('latin1', at, at + FILM_PLACE.length).replace(/[ /]/g, '');
    return { place: place === '' ? [] : [place], rest: [bytes.length, bytes.toString('latin1', 0, at)] };
  }
  const { exif, xmp, width, height, format } = await sharp(bytes).metadata();
  const { place, rest } = blockNotes(
    exif?.subarray(exif.toString('latin1', 0, 4) === 'Exif' ? 6 : 0) ?? Buffer.alloc(0),
  );
  const text = xmp?.toString('utf8') ?? '';
  const inXmp = [...text.matchAll(/GPS\w+(?:="|>)([^"<]*)/g)].map(([, value = '']) => value.trim()).filter(Boolean);
  const pixels = createHash('sha256')
    .update(await sharp(bytes).raw().toBuffer())
    .digest('hex');
  const creator = /creator="(\w+)"/.exec(text)?.[1];
  const sums = format === 'png' && pngSums(bytes);
  return { place: [...place, ...inXmp], rest: { rest, width, height, format, pixels, creator, sums } };
}

/** Whether the sum of each chunk is right. */
function pngSums(png: Buffer): boolean[] {
  const sums: boolean[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    const end = at + 8 + png.readUInt32BE(at);
    sums.push(crc32(png.subarray(at + 4, end)) === png.readUInt32BE(end));
  }
  return sums;
}

/** A TIFF block as a dictionary: every entry of its first directory, and those of the place. */
function blockNotes(block: Buffer): { place: string[]; rest: Record<number, string> } {
  if (block.length === 0) return { place: [], rest: {} };
  const little = block.toString('latin1', 0, 2) === 'II';
  const short = (at: number): number => (little ? block.readUInt16LE(at) : block.readUInt16BE(at));
  const long = (at: number): number => (little ? block.readUInt32LE(at) : block.readUInt32BE(at));
  const directory = (at: number): Map<number, { value: number; bytes: Buffer }> => {
    const entries = new Map<number, { value: number; bytes: Buffer }>();
    for (let i = 0; i < short(at); i++) {
      const entry = at + 2 + i * ENTRY_BYTES;
      const length = long(entry + 4) * ([0, 1, 1, 2, 4, 8][short(entry + 2)] ?? 1);
      const from = length > 4 ? long(entry + 8) : entry + 8;
      entries.set(short(entry), { value: long(entry + 8), bytes: block.subarray(from, from + length) });
    }
    return entries;
  };
  const first = directory(long(4));
  const place = first.get(GPS_DIRECTORY);
  const rest = [...first].filter(([tag]) => tag !== GPS_DIRECTORY && tag !== 0x8769);
  return {
    place: place ? [...directory(place.value)].map(([tag, { bytes }]) => `${tag}:${bytes.toString('hex')}`) : [],
    rest: Object.fromEntries(rest.map(([tag, { bytes }]) => [tag, bytes.toString('hex')])),
  };
}

/** The author, and a place of one value that lies in its entry and one that lies outside. */
function bigEndianBlock(): Buffer {
  const block = Buffer.alloc(110);
  block.write('MM\0*', 'latin1');
  block.writeUInt32BE(8, 4);
  const entry = (at: number, tag: number, type: number, count: number, value: number): void => {
    block.writeUInt16BE(tag, at);
    block.writeUInt16BE(type, at + 2);
    block.writeUInt32BE(count, at + 4);
    block.writeUInt32BE(value, at + 8);
  };
  block.writeUInt16BE(2, 8);
  entry(10, 0x8298, 2, 4, Buffer.from('Ada\0').readUInt32BE(0));
  entry(22, GPS_DIRECTORY, 4, 1, 38);
  block.writeUInt16BE(2, 38);
  entry(40, 1, 2, 2, Buffer.from('N\0\0\0', 'latin1').readUInt32BE(0));
  entry(52, 2, 5, 3, 70);
  [51, 1, 30, 1, 26, 1].forEach((value, place) => block.writeUInt32BE(value, 70 + place * 4));
  return block;
}

function withCameraBlock(jpeg: Buffer, block: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(0xffe1, 0);
  head.writeUInt16BE(block.length + 8, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, Buffer.from('Exif\0\0', 'latin1'), block, jpeg.subarray(2)]);
}

/** No frame of film: what a telephone writes around them. */
function filmWithPlace(): Buffer {
  const place = Buffer.from(FILM_PLACE, 'latin1');
  const said = box('\u00a9xyz', Buffer.concat([Buffer.from([0, place.length, 0x15, 0xc7]), place]));
  return Buffer.concat([
    box('ftyp', Buffer.from('isom\0\0\u0002\0isommp41', 'latin1')),
    box('mdat', Buffer.alloc(100, 0x51)),
    box('moov', box('udta', said)),
  ]);
}

function box(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(content.length + 8, 0);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, content]);
}
