// Makes the smaller pictures of one original, in a process of its own: whatever a hostile file does to the decoder, it
// does not do it to the server. Arguments: sharp's address, the original, limits as JSON, and a file for each picture.
import { pathToFileURL } from 'node:url';

const [address, original, limits, ...targets] = process.argv.slice(1);
const { pixelsMax, seconds, loaders } = JSON.parse(limits);
/** The picture's fault, and not worth another attempt. */
const UNRENDERABLE = 3;

const { default: sharp } = await import(pathToFileURL(address).href);
sharp.cache(false);
sharp.concurrency(1);
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: loaders });
try {
  for (const target of targets) {
    const { path, edge } = JSON.parse(target);
    await sharp(original, { limitInputPixels: pixelsMax, failOn: 'none', sequentialRead: true, pages: 1 })
      .timeout({ seconds })
      .autoOrient()
      .resize({ width: edge, height: edge, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 78, effort: 3 })
      .toFile(path);
  }
} catch (error) {
  process.stderr.write(String(error.message).slice(0, 500));
  process.exitCode = /timeout/.test(error.message) ? 1 : UNRENDERABLE;
}
