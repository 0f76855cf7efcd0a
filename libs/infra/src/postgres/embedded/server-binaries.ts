import { constants } from 'node:fs';
import { access, chmod, lstat, mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError, systemErrorCode } from './embedded-postgres-error.js';

/** Where the bundled server's programs are. */
export interface ServerBinaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly libDir: string;
  /** The whole version of the package, for logs and for naming caches. */
  readonly version: string;
  /** Data of another major version cannot be opened by these programs. */
  readonly majorVersion: number;
  /** File names of links to shared libraries, with the file each one points to, both in `libDir`. */
  readonly libraryLinks: ReadonlyMap<string, string>;
}

/**
 * Finds the programs for this platform without loading the package `embedded-postgres` itself: loading it would
 * install its exit hook, which stops every server before the application has drained.
 * @throws EmbeddedPostgresError when the package for this platform is not installed.
 */
export async function locateServerBinaries(): Promise<ServerBinaries> {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = join(packageRootOf(packageName), 'native');
  const manifest = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  return {
    postgres: join(native, 'bin', 'postgres'),
    initdb: join(native, 'bin', 'initdb'),
    libDir: join(native, 'lib'),
    version: manifest.version,
    majorVersion: Number.parseInt(manifest.version, 10),
    libraryLinks: await readLibraryLinks(join(native, 'pg-symlinks.json')),
  };
}

function packageRootOf(packageName: string): string {
  // A bundle may have been moved away from the sources: what was started and where count as starting points too.
  const bases = [import.meta.url, process.argv[1], join(process.cwd(), 'package.json')];
  for (const base of bases) {
    if (base === undefined) continue;
    try {
      const wrapper = createRequire(base).resolve('embedded-postgres');
      return dirname(dirname(createRequire(wrapper).resolve(packageName)));
    } catch {
      continue;
    }
  }
  throw new EmbeddedPostgresError(
    `No bundled PostgreSQL for ${process.platform} on ${process.arch}: the package ${packageName} is not installed ` +
      '(run npm ci without --omit=optional, or use an external PostgreSQL).',
  );
}

async function readLibraryLinks(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(file, 'utf8').catch(() => '[]');
  const pairs = JSON.parse(text) as { source: string; target: string }[];
  return new Map(pairs.map(({ source, target }) => [basename(target), basename(source)]));
}

/**
 * Makes good what the package's install script does, for installations that block install scripts: links of shared
 * libraries, and the right to execute. In a package folder that cannot be written, the links go into `spareDir` and
 * the answer is the environment that makes the loader look there.
 * @throws EmbeddedPostgresError when the programs may not be executed.
 */
export async function repairInstallation(binaries: ServerBinaries, spareDir: string): Promise<NodeJS.ProcessEnv> {
  for (const program of [binaries.postgres, binaries.initdb]) await makeExecutable(program);
  const missing: [string, string][] = [];
  for (const [name, target] of binaries.libraryLinks) {
    const there = await lstat(join(binaries.libDir, name)).catch(() => undefined);
    if (!there) missing.push([name, target]);
  }
  try {
    for (const [name, target] of missing) await linkOnce(target, join(binaries.libDir, name));
    return {};
  } catch (error) {
    if (!['EACCES', 'EPERM', 'EROFS'].includes(systemErrorCode(error))) throw error;
    await mkdir(spareDir, { recursive: true, mode: 0o755 });
    for (const [name, target] of missing) await linkOnce(join(binaries.libDir, target), join(spareDir, name));
    return { LD_LIBRARY_PATH: [spareDir, binaries.libDir].join(':') };
  }
}

async function linkOnce(target: string, path: string): Promise<void> {
  await symlink(target, path).catch((error: unknown) => {
    // Two starts may repair the same installation at once.
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  });
}

async function makeExecutable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK);
  } catch {
    await chmod(program, 0o755).catch((error: unknown) => {
      throw new EmbeddedPostgresError(
        `The bundled PostgreSQL program ${program} may not be executed (${systemErrorCode(error)}); install again with npm ci.`,
      );
    });
  }
}
