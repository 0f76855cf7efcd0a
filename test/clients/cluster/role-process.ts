import { join } from 'node:path';
import { buildIfStale } from '../../../scripts/fresh-build.mjs';
import { ChildServer, freePort, type Ending } from '../child-server.js';

export type Role = 'api' | 'gateway' | 'worker';

const root = join(import.meta.dirname, '..', '..', '..');
const APPS = join(root, 'dist', 'apps');
/** As the container and `npm run cluster` have it: a start is not spent on compiling what was compiled before. */
const NODE_COMPILE_CACHE = join(root, 'node_modules', '.cache', 'node-compile-cache');
const KILL_TIMEOUT_MS = 5_000;
/** A clean stop must be over by then; it is promised in less. */
const STOP_TIMEOUT_MS = 38_000;

/** One process of the cluster, started again and again at one address. */
export class RoleProcess {
  private readonly child = new ChildServer();

  private constructor(
    readonly role: Role,
    readonly port: number,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  /** Of the product as its sources are now. @throws when it has to be built for that and cannot be */
  static async prepare(role: Role, environment: Readonly<Record<string, string>>): Promise<RoleProcess> {
    if (buildIfStale() !== 0) throw new Error('The build failed.');
    const port = await freePort();
    // A port of its own for figures, if there is to be one.
    const metrics = environment['METRICS_PORT'] !== undefined && { METRICS_PORT: String(await freePort()) };
    return new RoleProcess(role, port, { NODE_COMPILE_CACHE, ...environment, ...metrics, PORT: String(port) });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.environment['METRICS_PORT'] ?? this.port}`;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get lastWords(): string {
    return `${this.role} ${this.port}: ${this.child.lastWords}`;
  }

  /** Resolves with the milliseconds until it said that it is ready. */
  async start(more: Readonly<Record<string, string>> = {}): Promise<number> {
    return this.child.start(join(APPS, this.role, 'main.js'), { ...this.environment, ...more });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.signal(signal);
  }

  async end(timeoutMs: number): Promise<Ending> {
    return this.child.end(timeoutMs);
  }

  /** In order. @throws when it does not end by itself in time: then it is killed */
  async stop(): Promise<Ending> {
    this.signal('SIGTERM');
    try {
      return await this.end(STOP_TIMEOUT_MS);
    } catch (error) {
      await this.destroy();
      throw error;
    }
  }

  async destroy(): Promise<void> {
    // A process that stands still would not even notice.
    this.signal('SIGKILL');
    await this.end(KILL_TIMEOUT_MS);
  }
}
