import { describe, expect, it } from 'vitest';
import { edited, newConversation, sent } from '../../../domain/src/ports/testing/written-messages.js';
import { partitionWrites } from './message-writes.js';
import { REQUEST_PARTITIONS_MAX, REQUEST_TEXT_BYTES_MAX, writeRequests } from './write-requests.js';

const everywhere = (): string => 'all nodes';
/** A message each of so many conversations: three partitions for each, and one for the bucket that begins. */
const sends = (count: number, content?: string) =>
  Array.from({ length: count }, () => sent(newConversation(), 2, content));

describe('requests to Cassandra', () => {
  it('hold ten partitions each, and every statement once', () => {
    const writes = partitionWrites(sends(10));
    const requests = writeRequests(writes, everywhere);
    expect(requests.map((statements) => statements.length)).toEqual([10, 10, 10]);
    expect(REQUEST_PARTITIONS_MAX).toBe(10);
    expect(new Set(requests.flat())).toEqual(new Set(writes.flatMap(({ statements }) => statements)));
  });

  it('hold partitions of the same nodes only', () => {
    const [first, second] = sends(2);
    const writes = [...partitionWrites([first!]), ...partitionWrites([second!])];
    const nodeOf = new Map(writes.map(({ routingKey }, index) => [routingKey, `node ${index % 2}`]));
    const requests = writeRequests(writes, (routingKey) => nodeOf.get(routingKey) as string);
    const at = (node: number) =>
      writes.filter((_, index) => index % 2 === node).flatMap(({ statements }) => statements);
    expect(requests).toEqual([at(0), at(1)]);
  });

  it('stay below the size at which nodes refuse a request for several partitions', () => {
    const textBytes = (statements: { params: unknown[] }[]): number =>
      statements
        .flatMap(({ params }) => params)
        .reduce<number>((sum, param) => {
          return sum + (typeof param === 'string' ? Buffer.byteLength(param) : 0);
        }, 0);
    const half = 'x'.repeat(REQUEST_TEXT_BYTES_MAX / 2);
    const [long, ...others] = writeRequests(partitionWrites(sends(1, `${half}x`)), everywhere);
    expect(long).toHaveLength(1);
    expect(others.flat()).toHaveLength(2);
    for (const statements of writeRequests(partitionWrites(sends(30, half)), everywhere)) {
      expect(textBytes(statements)).toBeLessThan(10 * 1024);
    }
  });

  it('keep what one message writes to one partition together', () => {
    const message = sent(newConversation(), 2);
    const writes = partitionWrites([message, edited(message, 7, 'edited')]);
    for (const request of writeRequests(writes, everywhere)) expect(request.length).toBeGreaterThan(1);
  });
});
