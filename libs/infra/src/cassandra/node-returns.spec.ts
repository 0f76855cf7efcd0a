import { EventEmitter } from 'node:events';
import type { Client } from 'cassandra-driver';
import { describe, expect, it } from 'vitest';
import { NodeReturns } from './node-returns.js';

describe('nodes that come back', () => {
  it('are told once for each time that they were away, with the time when they went', () => {
    const driver = new EventEmitter();
    let now = 0;
    const told: number[] = [];
    const returns = new NodeReturns(driver as unknown as Client, () => now);
    const stop = returns.listen((since) => told.push(since));
    const hear = (name: string, address: string, at: number): void => {
      now = at;
      driver.emit(name, { address });
    };
    hear('hostUp', 'a', 1);
    hear('hostAdd', 'b', 2);
    hear('hostDown', 'a', 10);
    hear('hostDown', 'a', 20);
    hear('hostDown', 'b', 30);
    hear('hostUp', 'a', 40);
    hear('hostUp', 'a', 50);
    expect(told).toEqual([10]);
    // As the driver does when the last node was away.
    hear('hostRemove', 'b', 60);
    hear('hostAdd', 'b', 61);
    hear('hostUp', 'b', 62);
    expect(told).toEqual([10, 30]);
    stop();
    hear('hostDown', 'a', 70);
    hear('hostUp', 'a', 80);
    expect(told).toEqual([10, 30]);
  });

  it('are remembered in a bounded number, the last that went', () => {
    const driver = new EventEmitter();
    let now = 0;
    const told: number[] = [];
    new NodeReturns(driver as unknown as Client, () => now).listen((since) => told.push(since));
    for (let n = 0; n < 1_001; n++) {
      now = n;
      driver.emit('hostDown', { address: `${n}` });
    }
    for (const address of ['0', '1', '1000']) driver.emit('hostAdd', { address });
    expect(told).toEqual([1, 1_000]);
  });
});
