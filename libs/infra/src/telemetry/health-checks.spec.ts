import { describe, expect, it, vi } from 'vitest';
import { healthContract } from '../../../domain/src/ports/health.port.contract.js';
import { HealthChecks } from './health-checks.js';

healthContract('of registered checks', () => {
  const failing = new Map<string, Promise<void>>();
  const health = new HealthChecks();
  for (const name of ['database', 'pipeline']) health.register(name, () => failing.get(name), 100);
  return {
    health,
    breakPart: (name) => {
      const failure = Promise.reject(new Error('connection refused'));
      failure.catch(() => {});
      failing.set(name, failure);
    },
    hangPart: (name) => failing.set(name, new Promise(() => {})),
  };
});

describe('health checks', () => {
  it('take a check that throws at once for a failure', async () => {
    const health = new HealthChecks();
    health.register('database', () => {
      throw new Error('closed');
    });
    expect(await health.readiness()).toEqual({ ready: false, missing: ['database'] });
  });

  it('are not ready any more once the process drains, and stay live', async () => {
    const health = new HealthChecks();
    expect((await health.readiness()).ready).toBe(true);
    health.drain();
    expect(await health.readiness()).toEqual({ ready: false, missing: ['draining'] });
    expect(await health.live()).toBe(true);
  });

  it('ask a part once for many callers at a time', async () => {
    const health = new HealthChecks();
    const check = vi.fn<() => void>();
    health.register('database', check);
    await Promise.all(Array.from({ length: 100 }, () => health.readiness()));
    expect(check).toHaveBeenCalledTimes(1);
  });

  it('ask again when the last answer is old, so that a part that came back is seen', async () => {
    const health = new HealthChecks(undefined, 0);
    let broken = true;
    health.register('database', () => {
      if (broken) throw new Error('down');
    });
    expect((await health.readiness()).ready).toBe(false);
    broken = false;
    expect((await health.readiness()).ready).toBe(true);
  });

  it('say that the process should be replaced when a turn of the event loop takes too long', async () => {
    const health = new HealthChecks(20);
    const live = health.live();
    const stuckUntil = performance.now() + 60;
    while (performance.now() < stuckUntil); // Nothing else can happen meanwhile, as in an endless calculation.
    expect(await live).toBe(false);
    expect(await health.live()).toBe(true);
  });

  it('refuse a second check under one name', () => {
    const health = new HealthChecks();
    health.register('database', () => {});
    expect(() => health.register('database', () => {})).toThrow(/registered twice/);
  });

  it('stay ready without a part that is only watched, and name it', async () => {
    const checks = new HealthChecks(5_000, 0);
    let away = true;
    checks.register('database', () => {});
    checks.watch('redis', () => {
      if (away) throw new Error('away');
    });
    expect(await checks.readiness()).toEqual({ ready: true, missing: ['redis'] });
    away = false;
    expect(await checks.readiness()).toEqual({ ready: true, missing: [] });
    expect(() => checks.watch('database', () => {})).toThrow(/twice/);
  });
});
