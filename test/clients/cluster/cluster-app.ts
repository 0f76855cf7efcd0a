import { figuresAt, type Company, type ServedApp } from '../served-app.js';
import { takeEngineNames, type EngineNames } from './engine-names.js';
import { FrontDoor } from './front-door.js';
import { RoleGroup } from './role-group.js';
import { standingCluster } from './standing-cluster.js';

const OWN = { apis: 1, gateways: 2 };

/** The cluster profile: real processes on real engines, behind one address. */
export class ClusterApp implements ServedApp {
  private constructor(
    private readonly door: FrontDoor,
    private readonly processUrls: readonly string[],
    readonly gatewayUrls: readonly string[],
    readonly metricsUrl: string,
    /** What is of this app alone, in the order in which it is started. */
    private readonly own: readonly RoleGroup[],
    private readonly names?: EngineNames,
  ) {}

  /** @param environment of the processes that are started for it; those that stand already have their own */
  static async start(environment: Readonly<Record<string, string>>, company: Company): Promise<ClusterApp> {
    const standing = standingCluster();
    if (company === 'all') {
      const { workers, apis, gateways } = standing.ports;
      const [api, ...others] = [...apis, ...gateways, ...workers].map(urlAt) as [string, ...string[]];
      return new ClusterApp(await FrontDoor.open(standing.ports), [api, ...others], gateways.map(urlAt), api, []);
    }
    const names = company === 'alone' ? await takeEngineNames() : undefined;
    const all = { ...standing.environment, ...names?.environment, ...environment };
    const workers = names && (await RoleGroup.prepare({ workers: 1 }, all));
    const doors = await RoleGroup.prepare(OWN, all);
    const own = workers ? [workers, doors] : [doors];
    const workerPorts = workers ? workers.ports.workers : standing.ports.workers;
    const urls = [...doors.processes.map(({ url }) => url), ...workerPorts.map(urlAt)];
    const app = new ClusterApp(
      await FrontDoor.open(doors.ports),
      urls,
      doors.gatewayUrls,
      (doors.processes.at(-1) as { metricsUrl: string }).metricsUrl,
      own,
      names,
    );
    try {
      await app.startOwn();
    } catch (error) {
      await Promise.all(own.map((group) => group.destroy()));
      await app.remove();
      throw error;
    }
    return app;
  }

  get url(): string {
    return this.door.url;
  }

  async figures(): Promise<string> {
    return (await Promise.all(this.processUrls.map(figuresAt))).join('\n');
  }

  async restart(): Promise<void> {
    await this.stopOwn();
    await this.startOwn();
  }

  async close(): Promise<void> {
    await this.stopOwn();
  }

  async remove(): Promise<void> {
    await this.door.close();
    await this.names?.drop();
  }

  private async startOwn(): Promise<void> {
    for (const group of this.own) await group.start();
  }

  /** Doors first: a worker that went before them would leave their last commands to nobody. */
  private async stopOwn(): Promise<void> {
    for (const group of this.own.toReversed()) await group.stop();
  }
}

function urlAt(port: number): string {
  return `http://127.0.0.1:${port}`;
}
