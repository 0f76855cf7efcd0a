import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildIfStale } from '../../scripts/fresh-build.mjs';
import { freePort } from '../clients/child-server.js';
import { type EngineNames, takeEngineNames } from '../clients/cluster/engine-names.js';
import { type ComposeService, OWN_IMAGE, readComposeFile, readEnvironmentFile } from '../deploy/compose-checks.js';
import { repositoryPath } from '../house/trial-repository.js';

const READY = { timeout: 90_000, interval: 500 };
const METRICS_PORT = '9400';
const OF_THE_IMAGE = {
  PATH: process.env['PATH'] ?? '',
  NODE_ENV: 'production',
  NODE_COMPILE_CACHE: repositoryPath('node_modules/.cache/node-compile-cache'),
};

const read = (path: string): string => readFileSync(repositoryPath(path), 'utf8');
const example = readEnvironmentFile(read('deploy/compose/cluster.env.example'));
const secrets = Object.keys(example).filter((name) => example[name] === '');
const given = { ...example, ...Object.fromEntries(secrets.map((name) => [name, 'a-secret-of-sixteen-and-more'])) };
const { services } = readComposeFile(read('docker-compose.cluster.yml'), given);
const own = Object.entries(services).filter(([, { image }]) => image === OWN_IMAGE);
const lasting = own.filter(([, { healthcheck }]) => !healthcheck?.disable);

/** By the service's own command and variables, but for the places of engines and the ports, which containers have to themselves. */
class Container {
  private child: ChildProcess | undefined;
  private said = '';

  private constructor(
    private readonly service: ComposeService,
    private readonly environment: Readonly<Record<string, string>>,
  ) {}

  static async of(service: ComposeService, engines: Readonly<Record<string, string>>): Promise<Container> {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const ports = { PORT: String(port), METRICS_PORT: String(metricsPort) };
    return new Container(service, { ...OF_THE_IMAGE, ...service.environment, ...engines, ...ports });
  }

  get lastWords(): string {
    return this.said.slice(-2_000);
  }

  start(): void {
    const [program, ...args] = this.service.command ?? [];
    expect(program).toBe('node');
    this.child = spawn(process.execPath, args, {
      cwd: repositoryPath('.'),
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (part) => (this.said = `${this.said}${String(part)}`.slice(-20_000)));
    }
  }

  /** The exit code of the service's own health check. */
  async checkHealth(): Promise<number> {
    const [kind, program, ...args] = this.service.healthcheck?.test ?? [];
    expect([kind, program]).toEqual(['CMD', 'node']);
    const here = args.map((arg) => arg.replace(METRICS_PORT, this.environment['METRICS_PORT'] ?? ''));
    return new Promise((resolve) => {
      execFile(process.execPath, here, { env: this.environment }, (error) => resolve(error ? 1 : 0));
    });
  }

  async exitCode(): Promise<number | null> {
    const { child } = this;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child?.exitCode ?? null;
  }

  /** As Compose does it: SIGKILL when its time to stop is over. @returns the exit code */
  async stop(): Promise<number | null> {
    this.child?.kill('SIGTERM');
    const graceMs = Number.parseInt(this.service.stop_grace_period ?? '10', 10) * 1_000;
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), graceMs);
    const code = await this.exitCode();
    clearTimeout(timer);
    return code;
  }
}

describe('the processes of docker-compose.cluster.yml', () => {
  let names: EngineNames;
  const started = new Map<string, Container>();
  beforeAll(async () => {
    if (buildIfStale() !== 0) throw new Error('The build failed.');
    names = await takeEngineNames();
  }, 120_000);
  afterAll(async () => {
    await Promise.all([...started.values()].map((container) => container.stop()));
    await names?.drop();
  }, 120_000);

  async function start(name: string, service: ComposeService): Promise<Container> {
    const container = await Container.of(service, names.environment);
    started.set(name, container);
    container.start();
    return container;
  }

  it('make everything in the engines, and end with 0', async () => {
    const others = own.filter((one) => !lasting.includes(one));
    expect(others.map(([name]) => name)).toEqual(['migrate']);
    for (const [name, service] of others) {
      const container = await start(name, service);
      expect(await container.exitCode(), container.lastWords).toBe(0);
    }
  }, 120_000);

  it('get healthy by their own checks, and end in order within the time that they are given', async () => {
    expect(lasting.length).toBeGreaterThan(3);
    const all = await Promise.all(lasting.map(([name, service]) => start(name, service)));
    for (const container of all) {
      await expect.poll(() => container.checkHealth(), { ...READY, message: container.lastWords }).toBe(0);
    }
    const codes = await Promise.all(all.map((container) => container.stop()));
    expect(codes, all.map(({ lastWords }) => lastWords).join('\n')).toEqual(all.map(() => 0));
    for (const container of all) expect(await container.checkHealth()).toBe(1);
  }, 180_000);
});
