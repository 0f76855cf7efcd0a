import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppConfig } from './configuration.js';

const SECRET_FILE = 'auth-jwt-secret';
const SECRET_BYTES = 32;

/** The configuration with the secret that signs access tokens: the given one, or the one kept in the data folder. */
export type ConfigWithSecret = AppConfig & { readonly auth: { readonly jwtSecret: string } };

/**
 * Fills in AUTH_JWT_SECRET: 32 random bytes, made at the first start and readable by their owner only.
 * Two processes that start at once end with the same one.
 * @throws Error with a sentence when the kept file cannot be read or is not a secret
 */
export function withJwtSecret(config: AppConfig): ConfigWithSecret {
  const jwtSecret = config.auth.jwtSecret ?? keptSecret(config.profile.dataDir);
  return Object.freeze({ ...config, auth: Object.freeze({ ...config.auth, jwtSecret }) });
}

function keptSecret(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, SECRET_FILE);
  const kept = read(path) ?? make(path);
  if (!/^[\w-]{43}$/.test(kept)) {
    throw new Error(
      `${path} does not hold a secret of ours: set AUTH_JWT_SECRET, or remove the file to have another made (all sign-ins end).`,
    );
  }
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
  return kept;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new Error(
      `The secret for access tokens cannot be read from ${path} (${(error as NodeJS.ErrnoException).code}).`,
      {
        cause: error,
      },
    );
  }
}

/** Written beside its place and linked into it: a crash leaves no half secret, and the first of two processes wins. */
function make(path: string): string {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
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
