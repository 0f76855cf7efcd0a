import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withJwtSecret } from './kept-secret.js';
import { loadConfiguration } from './load-configuration.js';

describe('the secret that signs access tokens', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley secret '));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function secretIn(dataDir: string): string {
    return withJwtSecret(loadConfiguration({ DATA_DIR: dataDir })).auth.jwtSecret;
  }

  it('is made once and is the same at the next start', () => {
    const dataDir = join(folder, 'not', 'there');
    const secret = secretIn(dataDir);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(secretIn(dataDir)).toBe(secret);
    expect(secretIn(join(folder, 'another'))).not.toBe(secret);
  });

  it('is readable by its owner only, and nothing is left beside it', () => {
    secretIn(folder);
    expect(readdirSync(folder)).toEqual(['auth-jwt-secret']);
    expect(statSync(join(folder, 'auth-jwt-secret')).mode & 0o777).toBe(0o600);
    chmodSync(join(folder, 'auth-jwt-secret'), 0o644);
    secretIn(folder);
    expect(statSync(join(folder, 'auth-jwt-secret')).mode & 0o777).toBe(0o600);
  });

  it('is the given one when there is one, and none is made', () => {
    const given = 'a secret of the operator, long enough';
    const config = withJwtSecret(loadConfiguration({ DATA_DIR: folder, AUTH_JWT_SECRET: given }));
    expect(config.auth.jwtSecret).toBe(given);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a kept file that is damaged instead of signing with it', () => {
    writeFileSync(join(folder, 'auth-jwt-secret'), '');
    expect(() => secretIn(folder)).toThrow(/does not hold a secret of ours/);
  });
});
