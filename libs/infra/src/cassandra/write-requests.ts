import type { PartitionWrite, Statement } from './message-writes.js';

/** Partitions in one request: from eleven on, Cassandra writes a warning into its log as it is delivered. */
export const REQUEST_PARTITIONS_MAX = 10;
/** Text in a request for several partitions. Nodes warn above 5 KiB in all, and refuse above 50 KiB. */
export const REQUEST_TEXT_BYTES_MAX = 3 * 1024;

/**
 * Small writes to partitions that the same nodes hold travel as one request. A send is three rows in three partitions; a
 * request for each of them cost Cassandra two to three times the processor time, and the driver four times (measured:
 * docs/benchmarks.md).
 *
 * A request for several partitions is not one transaction: some may be written and others not when it fails. That is as
 * it was with a request for each.
 * @param replicasOf names the nodes that hold a partition: equal for partitions with the same ones
 */
export function writeRequests(
  writes: readonly PartitionWrite[],
  replicasOf: (routingKey: Buffer) => string,
): Statement[][] {
  const requests: Statement[][] = [];
  const open = new Map<string, { statements: Statement[]; partitions: number; bytes: number }>();
  for (const { statements, routingKey, bytes } of writes) {
    if (bytes > REQUEST_TEXT_BYTES_MAX / 2) {
      requests.push(statements);
      continue;
    }
    const replicas = replicasOf(routingKey);
    let request = open.get(replicas);
    if (request && (request.partitions >= REQUEST_PARTITIONS_MAX || request.bytes + bytes > REQUEST_TEXT_BYTES_MAX)) {
      requests.push(request.statements);
      request = undefined;
    }
    if (!request) open.set(replicas, (request = { statements: [], partitions: 0, bytes: 0 }));
    request.statements.push(...statements);
    request.partitions++;
    request.bytes += bytes;
  }
  return [...requests, ...[...open.values()].map(({ statements }) => statements)];
}
