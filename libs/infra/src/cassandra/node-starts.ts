import { createHash } from 'node:crypto';
import { type Client, type Host, types } from 'cassandra-driver';

/** Only nodes of the own data centre are asked anything. */
const DATA_CENTRE = "SELECT data_center FROM system.local WHERE key = 'local'";
/** A node counts its starts, by the seconds of its clock where those have moved on. */
const STARTED_AS = "SELECT host_id, gossip_generation FROM system.local WHERE key = 'local'";
const ONE = { consistency: types.consistencies.localOne };

/**
 * A name for the present starts of all nodes of this data centre: the same for every process that asks, and another one
 * after any of them has started anew. Null while one of them is away.
 * @throws what the driver throws when a node does not answer
 */
export async function nodeStarts(client: Client): Promise<string | null> {
  const { rows: own } = await client.execute(DATA_CENTRE, [], ONE);
  const hosts = client.hosts.values().filter(({ datacenter }) => datacenter === own[0]?.['data_center']);
  if (hosts.length === 0 || hosts.some((host) => !host.isUp())) return null;
  const starts = await Promise.all(hosts.map((host) => startOf(client, host)));
  return createHash('sha256').update(starts.toSorted().join()).digest('base64url');
}

/** Names the present start of one node. @throws what the driver throws when it does not answer */
export async function startOf(client: Client, host: Host): Promise<string> {
  const { rows } = await client.execute(STARTED_AS, [], { ...ONE, host });
  return `${String(rows[0]?.['host_id'])}:${String(rows[0]?.['gossip_generation'])}`;
}
