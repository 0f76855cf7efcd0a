import { setTimeout as delay } from 'node:timers/promises';
import { RoleProcess, type Role } from './role-process.js';

const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 50;

export interface RoleCounts {
  readonly workers?: number;
  readonly apis?: number;
  readonly gateways?: number;
}

/** Processes that are started and stopped together. */
export class RoleGroup {
  private constructor(readonly processes: readonly RoleProcess[]) {}

  static async prepare(counts: RoleCounts, environment: Readonly<Record<string, string>>): Promise<RoleGroup> {
    const { workers = 0, apis = 0, gateways = 0 } = counts;
    const roles: Role[] = [
      ...Array<Role>(workers).fill('worker'),
      ...Array<Role>(apis).fill('api'),
      ...Array<Role>(gateways).fill('gateway'),
    ];
    const processes: RoleProcess[] = [];
    for (const role of roles) processes.push(await RoleProcess.prepare(role, environment));
    return new RoleGroup(processes);
  }

  get ports(): { workers: number[]; apis: number[]; gateways: number[] } {
    const portsOf = (role: Role): number[] => this.of(role).map(({ port }) => port);
    return { workers: portsOf('worker'), apis: portsOf('api'), gateways: portsOf('gateway') };
  }

  get gatewayUrls(): string[] {
    return this.of('gateway').map(({ url }) => url);
  }

  of(role: Role): RoleProcess[] {
    return this.processes.filter((process) => process.role === role);
  }

  /** Starts all at once; resolves when each says that it misses nothing. */
  async start(): Promise<void> {
    await Promise.all(this.processes.map((process) => this.startOne(process)));
  }

  /** Resolves when it misses nothing. */
  async startOne(process: RoleProcess): Promise<void> {
    await process.start();
    await untilNothingIsMissing(process);
  }

  /** Resolves when each of them has all engines again. */
  async untilWhole(): Promise<void> {
    await Promise.all(this.processes.map(untilNothingIsMissing));
  }

  /** In order, all at once. @throws when one does not end in order in time */
  async stop(): Promise<void> {
    const endings = await Promise.all(this.processes.map((process) => process.stop()));
    const bad = endings.findIndex(({ code }) => code !== 0);
    if (bad >= 0) throw new Error(`It ended with ${JSON.stringify(endings[bad])}: ${this.processes[bad]?.lastWords}`);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.destroy()));
  }
}

/** A worker serves before it has its share of the partitions. */
async function untilNothingIsMissing(process: RoleProcess): Promise<void> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; ;) {
    const answer = await fetch(`${process.url}/health/ready`);
    const { missing = [] } = (await answer.json()) as { missing?: string[] };
    if (answer.status === 200 && missing.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${process.lastWords}\nstill misses ${missing.join(', ')}`);
    await delay(READY_POLL_MS);
  }
}
