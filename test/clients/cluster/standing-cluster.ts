/** The variable in which the tests of a run find the cluster that stands for all of them. */
export const STANDING_CLUSTER = 'TEST_STANDING_CLUSTER';

/** A cluster that was started before the tests, and what another process needs to belong to it. */
export interface StandingCluster {
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: {
    readonly workers: readonly number[];
    readonly apis: readonly number[];
    readonly gateways: readonly number[];
  };
}

/** @throws when this run has none */
export function standingCluster(): StandingCluster {
  const text = process.env[STANDING_CLUSTER];
  if (text === undefined) throw new Error('No cluster stands: run `npm run test:cluster`.');
  return JSON.parse(text) as StandingCluster;
}
