import { isUtf8 } from 'node:buffer';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, open, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  DomainError,
  type InspectedFile,
  MediaProcessor,
  type MediaSpool,
  type Renditions,
  SCREEN_PIXELS_EDGE_MAX,
  type SpooledFile,
  THUMBNAIL_PIXELS_EDGE_MAX,
  UnrenderablePicture,
  type UploadClaims,
} from '@parley/domain';
import { keptType, refuseFalseClaims } from './file-kinds.js';
import { eraseRecordedPlace } from './recorded-place.js';
import RENDER_PROCESS from './render-process.mjs?raw';

export interface SharpMediaProcessorOptions {
  spool: MediaSpool;
  /** For pictures while they are made; on the file system of the spool. */
  workFolder: string;
  /** Of one frame. */
  pixelsMax: number;
}

/** Types that can be decoded here; others are files to be saved. */
const DECODED = /^image\/(png|jpeg|gif|webp|avif|tiff)$/;
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Heif', 'Tiff'].map((name) => `VipsForeignLoad${name}`);
const FRAMES_MAX = 1_000;
/** Pixels of all frames together, as a multiple of those of one picture: a second of film at the largest size is enough. */
const ANIMATION_FACTOR_MAX = 12;
const TEXT_LOOKED_AT_BYTES = 65_536;
const SNIFF_TIMEOUT_MS = 5_000;
/** A rendering that takes longer is ended; well below the lease of its job. */
export const RENDER_TIMEOUT_MS = 20_000;
const ORIGINAL_BYTES_MAX = 1_000_000_000;
/** What the process that renders ends with when the picture is at fault. */
const UNRENDERABLE = 3;
const FAULT_CHARS_MAX = 500;

/** Looks at files with file-type and libvips; decodes them in a process of its own, one for each picture. */
export class SharpMediaProcessor extends MediaProcessor {
  constructor(private readonly options: SharpMediaProcessorOptions) {
    super();
  }

  override async inspect(file: SpooledFile, claims: UploadClaims): Promise<InspectedFile> {
    // Loaded with the first upload: the server starts without it.
    const { fileTypeFromFile } = await import('file-type');
    const signal = AbortSignal.timeout(SNIFF_TIMEOUT_MS);
    const found = await fileTypeFromFile(file.path, { signal }).catch(() => undefined);
    const mimeType = keptType(found?.mime, found === undefined && (await isText(file)));
    refuseFalseClaims(claims, mimeType);
    if (!DECODED.test(mimeType)) return { mimeType, width: null, height: null, isPicture: false };
    const { width, height } = await this.pixelsOf(file);
    return { mimeType, width, height, isPicture: true };
  }

  override async withoutPlace(file: SpooledFile, mimeType: string): Promise<SpooledFile> {
    return (await eraseRecordedPlace(file.path, mimeType)) ? this.options.spool.adopt(file.path) : file;
  }

  override async render(original: Readable, { screen }: { screen: boolean }): Promise<Renditions> {
    const { spool, workFolder } = this.options;
    const folder = join(workFolder, `render-${randomUUID()}`);
    const file = await spool.receive(original, ORIGINAL_BYTES_MAX);
    try {
      await mkdir(folder, { mode: 0o700 });
      const thumbnail = { path: join(folder, 'thumbnail'), edge: THUMBNAIL_PIXELS_EDGE_MAX };
      const large = { path: join(folder, 'screen'), edge: SCREEN_PIXELS_EDGE_MAX };
      await this.decode(file.path, screen ? [thumbnail, large] : [thumbnail]);
      const made = await spool.adopt(thumbnail.path);
      return { thumbnail: made, screen: screen ? await spool.adopt(large.path) : null };
    } finally {
      await spool.discard(file);
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** From the head of the file: nothing is decoded, so a bomb does not go off. */
  private async pixelsOf({ path }: SpooledFile): Promise<{ width: number; height: number }> {
    const sharp = await guardedSharp();
    const head = await sharp(path, { limitInputPixels: false, failOn: 'none' })
      .metadata()
      .catch(() => {
        throw new DomainError('unsupported_media_type', 'The picture cannot be read');
      });
    const { pages = 1, autoOrient } = head;
    const pixels = head.width * (head.pageHeight ?? head.height);
    const { pixelsMax } = this.options;
    if (pixels > pixelsMax) {
      throw new DomainError('media_too_large', `A picture has at most ${pixelsMax} pixels`);
    }
    if (pages > FRAMES_MAX || pixels * pages > pixelsMax * ANIMATION_FACTOR_MAX) {
      throw new DomainError('media_too_large', 'The animation has too many frames for its size');
    }
    return { width: autoOrient.width, height: head.pageHeight ?? autoOrient.height };
  }

  private async decode(original: string, targets: readonly { path: string; edge: number }[]): Promise<void> {
    const { pixelsMax } = this.options;
    const limits = { pixelsMax, seconds: Math.floor(RENDER_TIMEOUT_MS / 1_000) - 5, loaders: LOADERS };
    const sharp = createRequire(import.meta.url).resolve('sharp');
    const given = [sharp, original, JSON.stringify(limits), ...targets.map((target) => JSON.stringify(target))];
    const child = spawn(process.execPath, ['--input-type=module', '-e', RENDER_PROCESS, '--', ...given], {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Nothing of the server's secrets is within reach of a decoder that was taken over.
      env: { PATH: process.env['PATH'], NODE_OPTIONS: '', MALLOC_ARENA_MAX: '2' },
      timeout: RENDER_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let fault = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (fault.length < FAULT_CHARS_MAX) fault += text;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 0) return;
    if (code === UNRENDERABLE) throw new UnrenderablePicture(fault);
    throw new Error(`the process that makes pictures smaller ended with ${code ?? child.signalCode}: ${fault}`);
  }
}

let loading: Promise<typeof import('sharp').default> | undefined;

/** With the loaders of a few types alone; loaded with the first picture. */
function guardedSharp(): Promise<typeof import('sharp').default> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false);
    sharp.block({ operation: ['VipsForeignLoad'] });
    sharp.unblock({ operation: LOADERS });
    return sharp;
  });
  return loading;
}

/** No NUL, and UTF-8 as far as it was looked at. */
async function isText({ path }: SpooledFile): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(TEXT_LOOKED_AT_BYTES), 0, TEXT_LOOKED_AT_BYTES, 0);
    const bytes = buffer.subarray(0, bytesRead);
    if (bytes.includes(0)) return false;
    // The last character may have been cut.
    for (let cut = 0; cut < 4; cut++) if (isUtf8(bytes.subarray(0, bytesRead - cut))) return true;
    return false;
  } finally {
    await handle.close();
  }
}
