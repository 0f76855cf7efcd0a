import { describe, expect, it } from 'vitest';
import type { Health } from './health.port.js';

export interface HealthContractSubject {
  health: Health;
  /** From now on one part fails by throwing. */
  breakPart(name: string): void;
  /** From now on one part never answers. */
  hangPart(name: string): void;
}

/** What every judge of this process's health keeps to. */
export function healthContract(name: string, make: () => HealthContractSubject): void {
  describe(`health: ${name}`, () => {
    it('is live and ready while nothing is wrong', async () => {
      const { health } = make();
      expect(await health.live()).toBe(true);
      expect(await health.readiness()).toEqual({ ready: true, missing: [] });
    });

    it('names each part that fails, and stays live', async () => {
      const subject = make();
      subject.breakPart('database');
      subject.breakPart('pipeline');
      expect(await subject.health.readiness()).toEqual({ ready: false, missing: ['database', 'pipeline'] });
      expect(await subject.health.live()).toBe(true);
    });

    it('answers although a part never does', async () => {
      const subject = make();
      subject.hangPart('database');
      const began = performance.now();
      expect(await subject.health.readiness()).toEqual({ ready: false, missing: ['database'] });
      expect(performance.now() - began).toBeLessThan(5_000);
    });
  });
}
