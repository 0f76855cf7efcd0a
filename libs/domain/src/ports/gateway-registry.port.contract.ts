import { describe, expect, it } from 'vitest';
import { GATEWAY_TTL_MS, type GatewayEntry, type GatewayRegistry } from './gateway-registry.port.js';

export interface GatewayRegistryUnderTest {
  /** The same registry, asked by two processes. */
  here: GatewayRegistry;
  there: GatewayRegistry;
  /** Lets so much time pass. */
  pass: (ms: number) => void;
}

const entry = (gatewayId: string, more: Partial<GatewayEntry> = {}): GatewayEntry => ({
  gatewayId,
  url: `http://${gatewayId}.example`,
  region: null,
  connections: 0,
  draining: false,
  ...more,
});

/** What every registry of gateways keeps to. Each test has an empty one. */
export function gatewayRegistryContract(name: string, make: () => Promise<GatewayRegistryUnderTest>): void {
  describe(`gateway registry: ${name}`, () => {
    const listed = async (registry: GatewayRegistry): Promise<GatewayEntry[]> => {
      const found = await registry.list();
      if (!found) throw new Error('the registry does not say');
      return found.toSorted((one, other) => (one.gatewayId < other.gatewayId ? -1 : 1));
    };

    it('shows to every process who announced itself, with what it said last', async () => {
      const { here, there } = await make();
      expect(await listed(there)).toEqual([]);
      const first = entry('g1', { url: 'https://g1.example/"a b", ü', region: 'eu-1', connections: 3 });
      expect(await here.announce(first)).toBe(true);
      expect(await there.announce(entry('g2'))).toBe(true);
      expect(await listed(here)).toEqual([first, entry('g2')]);
      const changed = { ...first, connections: 1_000_000, draining: true };
      await here.announce(changed);
      expect(await listed(there)).toEqual([changed, entry('g2')]);
    });

    it('forgets one that does not announce itself any more, and keeps the one that does', async () => {
      const { here, there, pass } = await make();
      await here.announce(entry('g1'));
      await there.announce(entry('g2'));
      const quarter = GATEWAY_TTL_MS / 4;
      pass(quarter);
      await there.announce(entry('g2'));
      expect(await listed(here)).toHaveLength(2);
      for (let passed = quarter; passed < GATEWAY_TTL_MS; passed += quarter) {
        pass(quarter);
        await there.announce(entry('g2', { connections: passed }));
      }
      expect((await listed(here)).map(({ gatewayId }) => gatewayId)).toEqual(['g2']);
      pass(GATEWAY_TTL_MS - 1);
      expect(await listed(here)).toHaveLength(1);
      pass(1);
      expect(await listed(here)).toEqual([]);
    });

    it('takes one out at once that withdraws, and no other', async () => {
      const { here, there } = await make();
      // One that was restarted at the same address, and the one before it.
      await here.announce(entry('g1', { url: 'http://same.example' }));
      await here.announce(entry('g2', { url: 'http://same.example' }));
      expect(await there.withdraw('g1')).toBe(true);
      expect(await listed(here)).toEqual([entry('g2', { url: 'http://same.example' })]);
      expect(await here.withdraw('unknown')).toBe(true);
      expect(await listed(there)).toHaveLength(1);
    });
  });
}
