import { GATEWAY_ANNOUNCE_EVERY_MS, GATEWAY_TTL_MS, GatewayDirectory, type GatewayEntry } from '@parley/domain';
import { HealthChecks, MemoryGatewayRegistry } from '@parley/infra';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewaySettings } from '../gateway-settings.js';
import type { ConnectionRegistry } from './connection-registry.js';
import { GatewayAnnouncer } from './gateway-announcer.js';

const entry = (gatewayId: string, more: Partial<GatewayEntry> = {}): GatewayEntry => ({
  gatewayId,
  url: `http://${gatewayId}`,
  region: null,
  connections: 0,
  draining: false,
  ...more,
});

describe('a gateway that announces itself', () => {
  let gateways: MemoryGatewayRegistry;
  let sockets: { size: number };
  let isReady: boolean;
  let announcer: GatewayAnnouncer;
  beforeEach(() => {
    vi.useFakeTimers();
    gateways = new MemoryGatewayRegistry();
    sockets = { size: 0 };
    isReady = true;
    const health = new HealthChecks(undefined, 0);
    health.register('database', () => {
      if (!isReady) throw new Error('away');
    });
    const settings = { gatewayId: 'here' } as GatewaySettings;
    const directory = new GatewayDirectory(gateways);
    announcer = new GatewayAnnouncer(gateways, directory, sockets as ConnectionRegistry, health, settings);
  });
  afterEach(() => {
    announcer.onModuleDestroy();
    vi.useRealTimers();
  });
  const place = { url: 'http://here', region: 'eu' };

  it('says nothing before it is started, and then at once and again and again how many sockets it has', async () => {
    await vi.advanceTimersByTimeAsync(GATEWAY_TTL_MS);
    expect(await gateways.list()).toEqual([]);
    announcer.start(place);
    await vi.advanceTimersByTimeAsync(0);
    expect(await gateways.list()).toEqual([entry('here', { region: 'eu' })]);
    sockets.size = 7;
    await vi.advanceTimersByTimeAsync(GATEWAY_ANNOUNCE_EVERY_MS);
    expect(await gateways.list()).toEqual([entry('here', { region: 'eu', connections: 7 })]);
    await vi.advanceTimersByTimeAsync(3 * GATEWAY_TTL_MS);
    expect(await gateways.list()).toHaveLength(1);
  });

  it('is forgotten while it is not ready, and there again when it is', async () => {
    announcer.start(place);
    await vi.advanceTimersByTimeAsync(0);
    isReady = false;
    await vi.advanceTimersByTimeAsync(GATEWAY_TTL_MS + GATEWAY_ANNOUNCE_EVERY_MS);
    expect(await gateways.list()).toEqual([]);
    isReady = true;
    await vi.advanceTimersByTimeAsync(GATEWAY_ANNOUNCE_EVERY_MS);
    expect(await gateways.list()).toHaveLength(1);
  });

  it('says at once that it drains, ready or not, and is gone when it withdraws', async () => {
    announcer.start(place);
    await vi.advanceTimersByTimeAsync(0);
    isReady = false;
    await announcer.drain();
    expect(await gateways.list()).toEqual([entry('here', { region: 'eu', draining: true })]);
    await vi.advanceTimersByTimeAsync(2 * GATEWAY_TTL_MS);
    expect(await gateways.list()).toEqual([entry('here', { region: 'eu', draining: true })]);
    await announcer.withdraw();
    await vi.advanceTimersByTimeAsync(2 * GATEWAY_TTL_MS);
    expect(await gateways.list()).toEqual([]);
  });

  it('knows where else its users can go: to its own region first, and never back to its own address', async () => {
    await gateways.announce(entry('there', { region: 'eu' }));
    await gateways.announce(entry('far', { region: 'us' }));
    await gateways.announce(entry('same-address', { url: 'http://here', region: 'eu' }));
    expect((await announcer.elsewhere())('ada')).toBeUndefined();
    announcer.start(place);
    const elsewhere = await announcer.elsewhere();
    for (const user of ['ada', 'bob', 'cyd', 'dan', 'eve']) expect(elsewhere(user)).toBe('http://there');
  });

  it('does not pile up announcements while the registry hangs', async () => {
    let under = 0;
    let most = 0;
    gateways.announce = async () => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, 5 * GATEWAY_ANNOUNCE_EVERY_MS));
      under--;
      return false;
    };
    announcer.start(place);
    await vi.advanceTimersByTimeAsync(20 * GATEWAY_ANNOUNCE_EVERY_MS);
    expect(most).toBe(1);
  });
});
