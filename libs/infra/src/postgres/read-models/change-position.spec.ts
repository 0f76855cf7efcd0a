import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { databaseName, positionOf, snapshotOf } from './change-position.js';

const database = databaseName('7571234567890123456', '16384');
const start = 'zik0zj';
const history = `${database}-${start}`;

/** As the server says it: the running ones ascend between begin and end, the first is the begin. */
const snapshots = fc
  .record({
    begin: fc.bigInt({ min: 3n, max: 1n << 62n }),
    gaps: fc.array(fc.bigInt({ min: 1n, max: 1n << 20n }), { maxLength: 200 }),
    rest: fc.bigInt({ min: 1n, max: 1_000n }),
  })
  .map(({ begin, gaps, rest }) => {
    const running = gaps.reduce((all, gap) => [...all, (all.at(-1) as bigint) + gap], [begin]);
    return { begin, running, end: (running.at(-1) as bigint) + rest };
  });

function parsed(text: string): { begin: bigint; end: bigint; running: bigint[] } {
  const [begin = '', end = '', running = ''] = text.split(':');
  return { begin: BigInt(begin), end: BigInt(end), running: running === '' ? [] : running.split(',').map(BigInt) };
}

describe('a position', () => {
  it('keeps the snapshot it was made of, as long as that is short', () => {
    const text = '100:120:100,103,119';
    expect(snapshotOf(positionOf({ database, start }, text))).toEqual({ database, start, text, end: 120n });
    expect(snapshotOf(positionOf({ database, start }, '100:100:'))?.text).toBe('100:100:');
  });

  it('is short however many transactions run, and then sees less as done, never more', () => {
    fc.assert(
      fc.property(snapshots, ({ begin, running, end }) => {
        const position = positionOf({ database, start }, `${begin}:${end}:${running.join(',')}`);
        expect(position.length).toBeLessThan(180);
        const kept = parsed(snapshotOf(position)?.text ?? '');
        const isDone = (of: typeof kept, xid: bigint): boolean =>
          xid < of.end && !of.running.includes(xid) && xid >= 1n;
        const asked = [begin - 1n, ...running, ...running.map((one) => one + 1n), end - 1n, end];
        const wrong = asked.filter((xid) => isDone(kept, xid) && !isDone({ begin, running, end }, xid));
        expect(wrong).toEqual([]);
        expect(isDone(kept, begin - 1n)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    '',
    'garbage',
    `${database}.5.9.`,
    `${history}.0.0.`,
    `${history}.5.4.`,
    `${history}.5.9.0-0`,
    `${history}.5.9.4`,
    `${history}.zzzzzzzzzzzzz.zzzzzzzzzzzzz.`,
    `${history}.5.9.${'-'.repeat(50)}`,
    `${history}.5.9.0;DROP`,
  ])('is not %j', (text) => {
    expect(snapshotOf(text)).toBeNull();
  });
});
