import type { Client } from 'cassandra-driver';

/**
 * Names the nodes that hold a partition, by its key in bytes. Asked anew for each append: nodes come and go. While the
 * driver does not know them, all partitions have one name, which costs a hop and nothing else.
 */
export function replicasOf({ keyspace, metadata, hosts }: Client): (routingKey: Buffer) => string {
  if (hosts.length <= 1) return () => '';
  return (routingKey) => {
    const replicas = metadata.getReplicas(keyspace, routingKey) as { address: string }[] | null;
    return (replicas ?? [])
      .map(({ address }) => address)
      .sort()
      .join();
  };
}
