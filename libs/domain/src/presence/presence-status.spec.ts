import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SessionStatus } from '../ports/session-registry.port.js';
import { hiddenPresence, presenceOf, statusOf } from './presence-status.js';

const device = fc.constantFrom<SessionStatus>('online', 'idle').map((status) => ({ status }));
const devices = fc.array(device, { maxLength: 12 });
const rank = { offline: 0, idle: 1, online: 2 };

describe('the status of several devices', () => {
  it('is offline without any, and that of the only one', () => {
    expect(statusOf([])).toBe('offline');
    expect(statusOf([{ status: 'idle' }])).toBe('idle');
    expect(statusOf([{ status: 'online' }])).toBe('online');
  });

  it('is the highest of theirs, whatever their order and however they are divided', () => {
    fc.assert(
      fc.property(devices, devices, (some, others) => {
        const merged = rank[statusOf([...some, ...others])];
        expect(merged).toBe(Math.max(rank[statusOf(some)], rank[statusOf(others)]));
        expect(rank[statusOf([...others, ...some])]).toBe(merged);
        expect(rank[statusOf([...some, ...some, ...others])]).toBe(merged);
      }),
    );
  });

  it('never falls when a device comes, and never rises when one goes', () => {
    fc.assert(
      fc.property(devices, device, (some, one) => {
        expect(rank[statusOf([...some, one])]).toBeGreaterThanOrEqual(rank[statusOf(some)]);
        expect(rank[statusOf(some.slice(1))]).toBeLessThanOrEqual(rank[statusOf(some)]);
      }),
    );
  });
});

describe('a presence', () => {
  it('tells when somebody was last there of those only who are not', () => {
    const at = Date.UTC(2026, 10, 22, 10);
    expect(presenceOf('a', 'offline', at).lastSeen).toBe('2026-11-22T10:00:00.000Z');
    expect(presenceOf('a', 'offline', null).lastSeen).toBeNull();
    expect(presenceOf('a', 'online', at).lastSeen).toBeNull();
    expect(presenceOf('a', 'idle', at).lastSeen).toBeNull();
  });

  it('that is hidden tells nothing', () => {
    expect(hiddenPresence('a')).toEqual({ userId: 'a', status: 'offline', lastSeen: null });
  });
});
