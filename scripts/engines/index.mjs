// For tests: engines that end with the process that started them.
import { EngineSet } from './engine-set.mjs';

export { administer } from './administer.mjs';
export { S3_ACCOUNT } from './s3.mjs';

/**
 * Starts engines for this process alone.
 * @returns their addresses as environment variables, the nodes in the order of `names`, and what stops them
 */
export async function startEngines(names) {
  const set = await EngineSet.owned();
  return startedIn(set, () => set.start(names));
}

/** Starts a Cassandra cluster of `size` nodes on 127.0.0.1, 127.0.0.2, … for this process alone. */
export async function startCassandraCluster(size) {
  const set = await EngineSet.owned();
  return startedIn(set, () => set.startCassandraCluster(size));
}

async function startedIn(set, start) {
  try {
    const nodes = await start();
    return { env: set.env, nodes, stop: async () => void (await set.stop()) };
  } catch (error) {
    await set.stop();
    throw error;
  }
}
