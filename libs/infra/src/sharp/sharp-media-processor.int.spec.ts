import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { notesIn, placedFiles } from '../../../../test/media/camera-notes.js';
import { gifOfFrames, phonePicture, pictureBytes, pngBomb } from '../../../../test/media/pictures.js';
import { mediaProcessorContract } from '../../../domain/src/media/media-processor.port.contract.js';
import { FolderMediaSpool } from '../folder/folder-media-spool.js';
import { SharpMediaProcessor } from './sharp-media-processor.js';

mediaProcessorContract('SharpMediaProcessor', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-processor-'));
  const spool = await FolderMediaSpool.open(folder);
  const options = { spool, workFolder: folder, pixelsMax: 50_000_000 };
  const transparent = { width: 20, height: 10, channels: 4 as const, background: { r: 0, g: 0, b: 0, alpha: 0.5 } };
  return {
    processor: new SharpMediaProcessor(options),
    spool,
    folder,
    corpus: {
      pictures: {
        'image/png': await pictureBytes(640, 480, 'png'),
        'image/jpeg': await pictureBytes(640, 480, 'jpeg'),
        'image/webp': await pictureBytes(640, 480, 'webp'),
        'image/gif': await pictureBytes(640, 480, 'gif'),
        'image/avif': await pictureBytes(640, 480, 'avif'),
      },
      phonePicture: await phonePicture(900, 600),
      placed: await placedFiles(),
      largePicture: await pictureBytes(2_400, 1_200, 'jpeg'),
      transparentPicture: await sharp({ create: transparent }).png().toBuffer(),
      pixelBomb: pngBomb(30_000, 30_000),
      frameBomb: gifOfFrames(1_001),
      animationBomb: gifOfFrames(900, 2_000, 2_000),
    },
    async look(bytes) {
      const { width, height, format, hasAlpha, exif, iptc, xmp } = await sharp(bytes).metadata();
      const carried = Object.entries({ alpha: hasAlpha, exif, iptc, xmp }).filter(([, value]) => value);
      return { width, height, format, carries: carried.map(([what]) => what) };
    },
    read: notesIn,
    close: () => rm(folder, { recursive: true, force: true }),
  };
});
