import { randomBytes } from 'node:crypto';
import { takeEngineNames } from './engine-names.js';
import { RoleGroup } from './role-group.js';
import { STANDING_CLUSTER, type StandingCluster } from './standing-cluster.js';

/** Vitest's global setup: two gateways, an api and two workers for all files that need none of their own. */
export default async function setUp(): Promise<() => Promise<void>> {
  const names = await takeEngineNames();
  const environment = {
    ...names.environment,
    PROFILE: 'cluster',
    PARTITIONS: '12',
    AUTH_JWT_SECRET: randomBytes(32).toString('base64url'),
    RATE_LIMITS: 'off',
    LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn',
  };
  const first = await RoleGroup.prepare({ workers: 1 }, environment);
  const others = await RoleGroup.prepare({ workers: 1, apis: 1, gateways: 2 }, environment);
  const end = async (): Promise<void> => {
    await Promise.all([first.destroy(), others.destroy()]);
    await names.drop();
  };
  try {
    // The first one makes what all need; the others would only wait for it.
    await first.start();
    await others.start();
  } catch (error) {
    await end();
    throw error;
  }
  const standing: StandingCluster = {
    environment,
    ports: { ...others.ports, workers: [first, others].flatMap(({ ports }) => ports.workers) },
  };
  process.env[STANDING_CLUSTER] = JSON.stringify(standing);
  return end;
}
