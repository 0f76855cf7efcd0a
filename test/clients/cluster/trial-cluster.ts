import { randomUUID } from 'node:crypto';
import {
  type EngineName,
  type EngineNode,
  S3_ACCOUNT,
  startEngines,
  type StartedEngines,
} from '../../../scripts/engines/index.mjs';
import { takeEngineNames, type EngineNames } from './engine-names.js';
import { FrontDoor } from './front-door.js';
import { type RoleCounts, RoleGroup } from './role-group.js';
import type { RoleProcess } from './role-process.js';

type Environment = Readonly<Record<string, string>>;

/** Where commands, events and messages lie: engines of the whole test run, shared by names. */
const POSTGRES_ALONE = { COMMAND_LOG: 'postgres', EVENT_STREAM: 'postgres', MESSAGE_STORE: 'postgres' };

/** Processes and engines of one test file, which it may kill. */
export class TrialCluster {
  private constructor(
    private readonly engines: StartedEngines,
    private readonly names: EngineNames,
    /** What all processes are told. */
    readonly environment: Environment,
    readonly group: RoleGroup,
    private readonly door: FrontDoor,
  ) {}

  /**
   * @param engines of its own; the others are those of the test run
   * @param environment of all processes, beside the addresses of the engines
   */
  static async start(
    engines: readonly EngineName[],
    counts: RoleCounts,
    environment: Environment = {},
  ): Promise<TrialCluster> {
    const started = await startEngines(engines);
    let names: EngineNames | undefined;
    let cluster: TrialCluster;
    try {
      names = await takeEngineNames({ ...process.env, ...started.env } as Record<string, string>);
      const all = environmentOf(started, names, environment);
      const group = await RoleGroup.prepare(counts, all);
      cluster = new TrialCluster(started, names, all, group, await FrontDoor.open(group.ports));
    } catch (error) {
      await names?.drop();
      await started.stop();
      throw error;
    }
    try {
      await cluster.startProcesses();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** All of them, which do not run: the first worker makes what all need. */
  async startProcesses(): Promise<void> {
    const { group } = this;
    for (const worker of group.of('worker')) await group.startOne(worker);
    await Promise.all([...group.of('api'), ...group.of('gateway')].map((process) => group.startOne(process)));
  }

  get url(): string {
    return this.door.url;
  }

  /** The first engine of its own. */
  get engine(): EngineNode {
    return this.engines.nodes[0] as EngineNode;
  }

  of(role: RoleProcess['role']): RoleProcess[] {
    return this.group.of(role);
  }

  async stop(): Promise<void> {
    await this.door.close();
    await this.group.destroy();
    // A test that failed may have left an engine dead.
    await this.names.drop().finally(() => this.engines.stop());
  }
}

function environmentOf(engines: StartedEngines, names: EngineNames, environment: Environment): Environment {
  return {
    ...names.environment,
    ...s3Environment(engines),
    PROFILE: 'cluster',
    ...POSTGRES_ALONE,
    PARTITIONS: '8',
    AUTH_JWT_SECRET: randomUUID(),
    RATE_LIMITS: 'off',
    ...environment,
  };
}

function s3Environment({ env }: StartedEngines): Environment {
  const { S3_ENDPOINT } = env;
  if (S3_ENDPOINT === undefined) return {};
  const { bucket, accessKeyId, secretAccessKey } = S3_ACCOUNT;
  return {
    S3_ENDPOINT,
    S3_BUCKET: bucket,
    S3_ACCESS_KEY_ID: accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
  };
}
