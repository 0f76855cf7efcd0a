import { describe, expect, it } from 'vitest';
import { sessionRegistryContract } from '../../../domain/src/ports/session-registry.port.contract.js';
import { MemorySessionRegistry } from './memory-session-registry.js';

sessionRegistryContract('in memory', async () => {
  let now = 1_000;
  const registry = new MemorySessionRegistry(() => now);
  return { here: registry, there: registry, pass: (ms) => void (now += ms), close: () => Promise.resolve() };
});

describe('memory session registry', () => {
  it('does not keep users whose sessions have ended, though nobody asks for them', async () => {
    let now = 0;
    const registry = new MemorySessionRegistry(() => now);
    const report = { deviceId: 'd', gatewayId: 'g', status: 'online', connected: false, connectedAt: 0 } as const;
    for (let i = 0; i < 10_000; i++) {
      await registry.put([{ ...report, userId: `user ${i}`, ttlMs: 5_000 }]);
      now += 100;
    }
    // Those of the last 35 s at most.
    expect(registry.size).toBeLessThanOrEqual(351);
  });
});
