// A JVM starts in half the time with an archive of the classes it loads. The first clean end of an engine writes one.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache.mjs';

/**
 * @param java path of the JVM, which alone can read what it wrote
 * @returns options for the JVM, and the archive that will be there if it ends by itself, if there is none yet
 */
export async function classArchive(name, java, jars) {
  const folder = join(cacheFolder(), 'class-archives');
  const { mtimeMs } = await stat(java);
  const key = createHash('sha256').update(`${java}\n${mtimeMs}\n${jars}`).digest('hex').slice(0, 12);
  const file = join(folder, `${name}-${key}.jsa`);
  const quiet = ['-Xlog:cds=off', '-Xlog:cds+dynamic=off', '-Xlog:class+path=off'];
  if (existsSync(file)) return { options: [`-XX:SharedArchiveFile=${file}`, ...quiet], archive: undefined };
  await mkdir(folder, { recursive: true });
  const unfinished = `${file}.unfinished-${process.pid}-${Date.now()}`;
  return { options: [`-XX:ArchiveClassesAtExit=${unfinished}`, ...quiet], archive: { unfinished, file } };
}

/** Takes over what a JVM wrote, if it had the time to finish. */
export async function keepClassArchive({ unfinished, file }, endedByItself) {
  if (endedByItself && existsSync(unfinished)) await rename(unfinished, file);
  else await rm(unfinished, { force: true });
}
