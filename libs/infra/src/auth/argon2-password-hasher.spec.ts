import { describe, expect, it } from 'vitest';
import { passwordHasherContract } from '../../../domain/src/accounts/password-hasher.port.contract.js';
import { Argon2PasswordHasher } from './argon2-password-hasher.js';

passwordHasherContract(
  'argon2',
  (concurrencyMax) =>
    new Argon2PasswordHasher({ memoryKib: 1_024, passes: 1, concurrencyMax, queueMax: concurrencyMax }),
);

describe('argon2 password hasher', () => {
  it('is argon2id with 19 MiB, 2 passes and 1 lane unless told otherwise', async () => {
    expect(await new Argon2PasswordHasher().hash('correct horse battery')).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
    );
  });

  it('takes about as long for a user without a password as for a wrong one', async () => {
    const hasher = new Argon2PasswordHasher();
    const encoded = await hasher.hash('correct horse battery');
    // The shortest of several, in turn: other work on the machine only ever adds.
    const shortestMs = new Map<string | null, number>([
      [null, Infinity],
      [encoded, Infinity],
    ]);
    for (let time = 0; time < 10; time++) {
      for (const [verified, shortest] of shortestMs) {
        const began = performance.now();
        await hasher.verify('wrong password', verified);
        shortestMs.set(verified, Math.min(shortest, performance.now() - began));
      }
    }
    const [nobody, wrong] = [shortestMs.get(null)!, shortestMs.get(encoded)!];
    expect(nobody / wrong).toBeGreaterThan(0.5);
    expect(nobody / wrong).toBeLessThan(2);
  });
});
