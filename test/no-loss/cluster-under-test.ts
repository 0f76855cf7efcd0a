import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { type EngineNode, type StartedEngines, startEngines } from '../../scripts/engines/index.mjs';
import type { Ending } from '../clients/child-server.js';
import { takeEngineNames } from '../clients/cluster/engine-names.js';
import { FrontDoor } from '../clients/cluster/front-door.js';
import { RoleGroup } from '../clients/cluster/role-group.js';
import type { Role, RoleProcess } from '../clients/cluster/role-process.js';
import { recordClusterStores } from './cluster-rows.js';
import { FAIL_POINT_FAULTS } from './embedded-under-test.js';
import type { HistoryRecorder } from './history.js';
import { until, type ServerUnderTest } from './server-under-test.js';

const ENGINES = ['kafka', 'cassandra', 'redis', 'postgres'] as const;
const ROLES = ['worker', 'gateway', 'api'] as const;
const FAULT_TIMEOUT_MS = 40_000;
/** Until a worker comes to its fail point: it has to get partitions first, and commands of them. */
const FAIL_POINT_TIMEOUT_MS = 120_000;
/** Within this it came there in every run in which one of the few conversations was in its share. */
const FAIL_POINT_WITH_ITS_SHARE_MS = 30_000;
const FAIL_POINT_VISITS = { least: 5, most: 25 } as const;
/** For so long an engine is away; starting takes what it takes, on top. */
const OUTAGE_MS = 3_000;
/** Longer than a lease is held without renewal. */
const WORKER_PAUSE_MS = 11_000;

/** One process of each kind is killed, and each engine. */
export const CLUSTER_KILLS: readonly string[] = [...ROLES, ...ENGINES].map((victim) => `kill-${victim}`);
/** These, a worker at each fail point, engines that stand still, and a worker that does so until it was replaced. */
export const CLUSTER_FAULTS: readonly string[] = [
  ...CLUSTER_KILLS,
  'pause-worker',
  ...FAIL_POINT_FAULTS,
  ...ENGINES.map((engine) => `pause-${engine}`),
];

/** The cluster profile on engines of its own: two gateways, an api and two workers behind one address. */
export class ClusterUnderTest implements ServerUnderTest {
  readonly readyMs: number[] = [];
  private turn = 0;

  private constructor(
    private readonly engines: StartedEngines,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly group: RoleGroup,
    private readonly door: FrontDoor,
  ) {}

  static async prepare(): Promise<ClusterUnderTest> {
    const engines = await startEngines(ENGINES);
    try {
      const names = await takeEngineNames(engines.env);
      const environment = {
        ...names.environment,
        PROFILE: 'cluster',
        PARTITIONS: '8',
        AUTH_JWT_SECRET: randomBytes(32).toString('base64url'),
        AUTH_ACCESS_TOKEN_SECONDS: '86400',
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'warn',
      };
      const group = await RoleGroup.prepare({ workers: 2, apis: 1, gateways: 2 }, environment);
      return new ClusterUnderTest(engines, environment, group, await FrontDoor.open(group.ports));
    } catch (error) {
      await engines.stop();
      throw error;
    }
  }

  get url(): string {
    return this.door.url;
  }

  get lastWords(): string {
    return this.group.processes.map(({ lastWords }) => lastWords).join('\n');
  }

  async start(): Promise<void> {
    const [first, ...others] = this.group.processes as [RoleProcess, ...RoleProcess[]];
    await this.group.startOne(first);
    await Promise.all(others.map((process) => this.group.startOne(process)));
  }

  async strike(fault: string, effect: () => void): Promise<void> {
    const [act, what] = fault.split('-') as [string, string];
    if (act !== 'kill' && act !== 'pause') return this.dieAt(fault, effect);
    if (fault === 'pause-worker') return this.pauseWorker(effect);
    if ((ROLES as readonly string[]).includes(what)) return this.killProcess(what as Role, effect);
    const pids = this.pids();
    await (act === 'kill' ? this.killEngine(what, effect) : this.pauseEngine(what, effect));
    // No process may end for it: each finds its engine again.
    if (this.pids() !== pids) throw new Error(`${fault} ended a process: ${this.lastWords}`);
  }

  async stop(): Promise<number | null> {
    const doors = this.group.processes.filter(({ role }) => role !== 'worker');
    const endings = await Promise.all(doors.map((process) => process.stop()));
    endings.push(...(await Promise.all(this.group.of('worker').map((process) => process.stop()))));
    return endings.find(({ code }) => code !== 0)?.code ?? endings[0]?.code ?? null;
  }

  async recordStores(history: HistoryRecorder): Promise<{ deadLetters: number }> {
    return recordClusterStores(this.environment, history);
  }

  async destroy(): Promise<void> {
    await this.group.destroy();
    await this.door.close();
    await this.engines.stop();
    await rm(this.environment['DATA_DIR'] as string, { recursive: true, force: true });
  }

  private async killProcess(role: Role, effect: () => void): Promise<void> {
    const victim = this.next(role);
    victim.signal('SIGKILL');
    const { signal } = await victim.end(FAULT_TIMEOUT_MS);
    if (signal === 'SIGKILL') effect();
    this.readyMs.push(await victim.start());
  }

  /** A worker that kills itself at a fail point; it is armed by a start of its own. */
  private async dieAt(failPoint: string, effect: () => void): Promise<void> {
    const victim = this.next('worker');
    victim.signal('SIGKILL');
    await victim.end(FAULT_TIMEOUT_MS);
    const { least, most } = FAIL_POINT_VISITS;
    await victim.start({ FAIL_POINT: `${failPoint}:${least + Math.floor(Math.random() * (most - least))}` });
    const { signal } = await this.endAtFailPoint(victim);
    if (signal === 'SIGKILL') effect();
    this.readyMs.push(await victim.start());
  }

  /** Three conversations may all be in the other worker's share: then that one stops, and the victim gets everything. */
  private async endAtFailPoint(victim: RoleProcess): Promise<Ending> {
    try {
      return await victim.end(FAIL_POINT_WITH_ITS_SHARE_MS);
    } catch {
      const others = this.group.of('worker').filter((process) => process !== victim);
      await Promise.all(others.map((process) => process.stop()));
      const ending = await victim.end(FAIL_POINT_TIMEOUT_MS);
      await Promise.all(others.map((process) => process.start()));
      return ending;
    }
  }

  /** It wakes up as the owner of partitions that another one has by then. */
  private async pauseWorker(effect: () => void): Promise<void> {
    const victim = this.next('worker');
    const before = await this.changesOfOwner();
    victim.signal('SIGSTOP');
    try {
      await delay(WORKER_PAUSE_MS);
      await until(async () => (await this.changesOfOwner()) > before, FAULT_TIMEOUT_MS);
      effect();
    } finally {
      victim.signal('SIGCONT');
    }
  }

  private async changesOfOwner(): Promise<number> {
    const client = new pg.Client({ connectionString: this.environment['DATABASE_URL'] });
    await client.connect();
    try {
      const { rows } = await client.query<{ sum: string }>('SELECT sum(epoch) FROM partition_progress');
      return Number(rows[0]?.sum);
    } finally {
      await client.end();
    }
  }

  private async killEngine(name: string, effect: () => void): Promise<void> {
    const node = this.engine(name);
    await node.kill();
    effect();
    await delay(OUTAGE_MS);
    await node.start();
  }

  private async pauseEngine(name: string, effect: () => void): Promise<void> {
    const node = this.engine(name);
    node.pause();
    effect();
    try {
      await delay(OUTAGE_MS);
    } finally {
      node.resume();
    }
  }

  private engine(name: string): EngineNode {
    const node = this.engines.nodes.find((each) => each.name === name);
    if (!node) throw new Error(`There is no engine ${name}`);
    return node;
  }

  private next(role: Role): RoleProcess {
    const processes = this.group.of(role);
    return processes[this.turn++ % processes.length] as RoleProcess;
  }

  private pids(): string {
    return this.group.processes.map(({ pid }) => pid).join();
  }
}
