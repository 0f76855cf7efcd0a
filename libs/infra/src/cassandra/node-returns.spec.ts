import { EventEmitter } from 'node:events';
import type { Client } from 'cassandra-driver';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NodeReturns } from './node-returns.js';

/** The driver, as far as it tells of nodes, and the nodes behind it. */
class Driver extends EventEmitter {
  readonly known = new Map<string, { address: string }>();
  /** What a node says of its start; one that is missing does not answer. */
  readonly generations = new Map<string, number>();
  questions = 0;

  readonly hosts = { values: () => [...this.known.values()] };

  async execute(_query: string, _params: unknown[], { host }: { host: { address: string } }): Promise<unknown> {
    this.questions++;
    const generation = this.generations.get(host.address);
    if (generation === undefined) throw new Error('no answer');
    return { rows: [{ host_id: host.address, gossip_generation: generation }] };
  }
}

describe('nodes that come back', () => {
  let driver: Driver;
  let now: number;
  let told: number[];
  let returns: NodeReturns;
  beforeEach(() => {
    vi.useFakeTimers();
    driver = new Driver();
    now = 0;
    told = [];
    returns = new NodeReturns(driver as unknown as Client, () => now);
  });
  afterEach(() => vi.useRealTimers());

  /** A node that has started as this. */
  function node(address: string, generation: number): void {
    driver.known.set(address, { address });
    driver.generations.set(address, generation);
  }
  async function listen(): Promise<() => void> {
    const stop = returns.listen((since) => told.push(since));
    await vi.advanceTimersByTimeAsync(0);
    return stop;
  }
  async function hear(name: string, address: string, at: number): Promise<void> {
    now = at;
    driver.emit(name, { address });
    await vi.advanceTimersByTimeAsync(0);
  }

  it('are told once for each start after which they are there again, with the time when they went', async () => {
    node('a', 1);
    node('b', 1);
    const stop = await listen();
    await hear('hostDown', 'a', 10);
    await hear('hostDown', 'a', 20);
    await hear('hostDown', 'b', 30);
    driver.generations.set('a', 2);
    driver.generations.set('b', 2);
    await hear('hostUp', 'a', 40);
    await hear('hostUp', 'a', 50);
    expect(told).toEqual([10]);
    // As the driver does when the last node was away.
    await hear('hostRemove', 'b', 60);
    await hear('hostAdd', 'b', 61);
    await hear('hostUp', 'b', 62);
    expect(told).toEqual([10, 30]);
    stop();
    await hear('hostDown', 'a', 70);
    driver.generations.set('a', 3);
    await hear('hostUp', 'a', 80);
    expect(told).toEqual([10, 30]);
  });

  it('are not told when they had only lost their connections', async () => {
    node('a', 1);
    await listen();
    for (const at of [10, 20, 30]) {
      await hear('hostDown', 'a', at);
      await hear('hostUp', 'a', at + 5);
    }
    expect(told).toEqual([]);
    // The next time it has started anew, and it is that time which counts.
    await hear('hostDown', 'a', 40);
    driver.generations.set('a', 2);
    await hear('hostUp', 'a', 45);
    expect(told).toEqual([40]);
  });

  it('are told, to be safe, when nobody knows as what they had started before', async () => {
    node('a', 1);
    driver.generations.delete('a');
    await listen();
    await hear('hostDown', 'a', 10);
    driver.generations.set('a', 1);
    await hear('hostUp', 'a', 20);
    expect(told).toEqual([10]);
  });

  it('are asked until they answer, and are away since the first time if they go again before', async () => {
    node('a', 1);
    await listen();
    driver.generations.delete('a');
    await hear('hostDown', 'a', 10);
    await hear('hostUp', 'a', 20);
    await vi.advanceTimersByTimeAsync(1_100);
    await hear('hostDown', 'a', 30);
    const asked = driver.questions;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(driver.questions).toBe(asked);
    await hear('hostUp', 'a', 40);
    expect(told).toEqual([]);
    driver.generations.set('a', 2);
    await vi.advanceTimersByTimeAsync(600);
    expect(told).toEqual([10]);
  });

  it('are asked nothing while nobody listens', async () => {
    node('a', 1);
    await hear('hostDown', 'a', 10);
    await hear('hostUp', 'a', 20);
    expect(driver.questions).toBe(0);
    driver.generations.delete('a');
    const stop = await listen();
    stop();
    const asked = driver.questions;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(driver.questions).toBe(asked);
  });

  it('are remembered in a bounded number, the last that went', async () => {
    await listen();
    for (let n = 0; n < 1_001; n++) {
      now = n;
      driver.emit('hostDown', { address: `${n}` });
      driver.generations.set(`${n}`, 1);
    }
    for (const address of ['0', '1', '1000']) await hear('hostAdd', address, 2_000);
    expect(told).toEqual([1, 1_000]);
  });
});
