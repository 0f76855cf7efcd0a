import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppConfig } from './configuration.js';

const SECRET_BYTES = 32;

/** A secret in a file of its own in the data folder. */
export interface KeptSecret {
  file: string;
  make: () => string;
  looksRight: RegExp;
  /** What the operator can do when the file holds something else. */
  remedy: string;
}

const JWT_SECRET: KeptSecret = {
  file: 'auth-jwt-secret',
  make: () => randomBytes(SECRET_BYTES).toString('base64url'),
  looksRight: /^[\w-]{43}$/,
  remedy: 'set AUTH_JWT_SECRET, or remove the file to have another made (all sign-ins end)',
};

/** The configuration with the secret that signs access tokens: the given one, or the one kept in the data folder. */
export type ConfigWithSecret = AppConfig & { readonly auth: { readonly jwtSecret: string } };

/**
 * Fills in AUTH_JWT_SECRET: 32 random bytes, made at the first start and readable by their owner only.
 * Two processes that start at once end with the same one.
 * @throws Error with a sentence when the kept file cannot be read or is not a secret
 */
export function withJwtSecret(config: AppConfig): ConfigWithSecret {
  const jwtSecret = config.auth.jwtSecret ?? keptSecret(config.profile.dataDir, JWT_SECRET);
  return Object.freeze({ ...config, auth: Object.freeze({ ...config.auth, jwtSecret }) });
}

/**
 * The secret of the data folder; made at the first call, readable by its owner only.
 * @throws Error with a sentence when the kept file cannot be read or holds something else
 */
export function keptSecret(dataDir: string, { file, make, looksRight, remedy }: KeptSecret): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, file);
  const kept = read(path) ?? keep(path, make());
  if (!looksRight.test(kept)) throw new Error(`${path} does not hold a secret of ours: ${remedy}.`);
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return kept;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(`A secret cannot be read from ${path} (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  }
}

/** Written beside its place and linked into it: a crash leaves no half secret, and the first of two processes wins. */
function keep(path: string, secret: string): string {
  const fresh = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  writeFileSync(fresh, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    linkSync(fresh, path);
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return read(path) ?? '';
  } finally {
    rmSync(fresh, { force: true });
  }
}
