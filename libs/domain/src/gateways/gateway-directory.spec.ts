import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type GatewayEntry, GatewayRegistry } from '../ports/gateway-registry.port.js';
import { FindGatewaysHandler } from './find-gateways/find-gateways.handler.js';
import { FALLBACK_GATEWAYS_MAX, FindGateways } from './find-gateways/find-gateways.query.js';
import { GatewayDirectory, GATEWAYS_KEPT_MS } from './gateway-directory.js';

class SetRegistry extends GatewayRegistry {
  questions = 0;
  answer: GatewayEntry[] | null = [];
  override announce = async (): Promise<boolean> => true;
  override withdraw = async (): Promise<boolean> => true;
  override list = async (): Promise<GatewayEntry[] | null> => {
    this.questions++;
    return this.answer;
  };
}

const entry = (url: string): GatewayEntry => ({ gatewayId: url, url, region: null, connections: 0, draining: false });

describe('the directory of gateways', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('asks the registry once for all who ask at a time', async () => {
    const registry = new SetRegistry();
    registry.answer = [entry('a')];
    const directory = new GatewayDirectory(registry);
    const answers = await Promise.all(Array.from({ length: 50 }, () => directory.gateways()));
    expect(new Set(answers)).toEqual(new Set([registry.answer]));
    vi.advanceTimersByTime(GATEWAYS_KEPT_MS - 1);
    await directory.gateways();
    expect(registry.questions).toBe(1);
    vi.advanceTimersByTime(1);
    await directory.gateways();
    expect(registry.questions).toBe(2);
  });

  it('answers what it knew last while the registry does not say or has forgotten, and what is new after that', async () => {
    const registry = new SetRegistry();
    const directory = new GatewayDirectory(registry);
    const askAnew = async (answer: GatewayEntry[] | null) => {
      registry.answer = answer;
      vi.advanceTimersByTime(GATEWAYS_KEPT_MS);
      return directory.gateways();
    };
    expect(await askAnew(null)).toEqual([]);
    await askAnew([entry('a'), entry('b')]);
    expect(await askAnew(null)).toEqual([entry('a'), entry('b')]);
    expect(await askAnew([])).toEqual([entry('a'), entry('b')]);
    expect(await askAnew([entry('b')])).toEqual([entry('b')]);
  });
});

describe('finding gateways', () => {
  it('names the first and a bounded number of others', async () => {
    const registry = new SetRegistry();
    registry.answer = Array.from({ length: 30 }, (_, i) => entry(`g${i}`));
    const handler = new FindGatewaysHandler(new GatewayDirectory(registry));
    const found = await handler.execute(new FindGateways('ada', null));
    expect(found.fallbackUrls).toHaveLength(FALLBACK_GATEWAYS_MAX);
    expect(new Set([found.url, ...found.fallbackUrls]).size).toBe(FALLBACK_GATEWAYS_MAX + 1);
  });

  it('refuses while no gateway is known, and says when to come back', async () => {
    const handler = new FindGatewaysHandler(new GatewayDirectory(new SetRegistry()));
    const refusal = handler.execute(new FindGateways('ada', null));
    await expect(refusal).rejects.toMatchObject({ code: 'overloaded', retryAfterMs: 2_000 });
  });
});
