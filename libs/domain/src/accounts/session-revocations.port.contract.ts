import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { SessionRevocations } from './session-revocations.port.js';

/** What every set of revoked sessions keeps to. */
export function sessionRevocationsContract(name: string, make: () => Promise<SessionRevocations>): void {
  describe(`session revocations: ${name}`, () => {
    let revocations: SessionRevocations;
    beforeAll(async () => {
      revocations = await make();
    });

    it('knows an announced session at once, and no other', () => {
      const ended = randomUUID();
      expect(revocations.isRevoked(ended)).toBe(false);
      revocations.announce([ended]);
      expect(revocations.isRevoked(ended)).toBe(true);
      expect(revocations.isRevoked(randomUUID())).toBe(false);
    });

    it('tells each listener once for each session, until the listener stops', () => {
      const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
      const listener = vi.fn<(ids: readonly string[]) => void>();
      const stop = revocations.onRevoked(listener);
      revocations.announce([first]);
      revocations.announce([first, second]);
      stop();
      revocations.announce([third]);
      expect(listener.mock.calls).toEqual([[[first]], [[second]]]);
    });
  });
}
