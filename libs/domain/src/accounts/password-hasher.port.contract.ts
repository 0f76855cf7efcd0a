import { describe, expect, it } from 'vitest';
import type { PasswordHasher } from './password-hasher.port.js';

/** What every hasher keeps to. `make` gives one that takes `concurrencyMax` at once and as many in its queue. */
export function passwordHasherContract(name: string, make: (concurrencyMax: number) => PasswordHasher): void {
  describe(`password hasher: ${name}`, () => {
    it('tells the right password from a wrong one', async () => {
      const hasher = make(2);
      const encoded = await hasher.hash('correct horse battery');
      expect(encoded).not.toContain('correct');
      expect(await hasher.verify('correct horse battery', encoded)).toBe(true);
      expect(await hasher.verify('correct horse batterz', encoded)).toBe(false);
      expect(await hasher.verify('', encoded)).toBe(false);
    });

    it('gives the same password another hash each time', async () => {
      const hasher = make(2);
      expect(await hasher.hash('same password')).not.toBe(await hasher.hash('same password'));
    });

    it('takes one letter typed in two ways for the same', async () => {
      const hasher = make(2);
      expect(await hasher.verify('cafe\u0301 au lait', await hasher.hash('caf\u00e9 au lait'))).toBe(true);
    });

    it('looks at the whole of a long password', async () => {
      const hasher = make(2);
      const encoded = await hasher.hash(`${'x'.repeat(127)}a`);
      expect(await hasher.verify(`${'x'.repeat(127)}b`, encoded)).toBe(false);
    });

    it('says no where there is no password', async () => {
      expect(await make(2).verify('whatever it is', null)).toBe(false);
    });

    it('refuses with `overloaded` what its queue does not hold, and does the rest', async () => {
      const hasher = make(2);
      const results = await Promise.allSettled(Array.from({ length: 7 }, () => hasher.hash('correct horse battery')));
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(Array(3).fill('overloaded'));
      await expect(hasher.hash('after the flood')).resolves.toEqual(expect.any(String));
    });
  });
}
