import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@parley/infra';
import { loadConfiguration, type AppConfig } from '@parley/infra/config';
import { bootstrapStandalone, type Standalone } from '../../apps/standalone/src/bootstrap.js';
import { copyTestCluster } from '../../libs/infra/src/postgres/embedded/testing.js';
import type { TestSocket } from './test-socket.js';
import { TestUser } from './test-user.js';

/** Begins as the folders of the test server do, which clears up what killed test processes left. */
const FOLDER_PREFIX = 'parley-test-postgres-app-';

/** The whole application in this process, on its own database, and the users that a test made of it. */
export class TestApp {
  private readonly users: TestUser[] = [];
  private closing: Promise<unknown> | undefined;

  private constructor(
    private server: Standalone,
    private readonly config: AppConfig,
  ) {}

  /** @param environment as `npm start` would read it; a free port and no rate limits unless it says otherwise */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<TestApp> {
    const dataDir = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
    await copyTestCluster(dataDir);
    const level = process.env['LOG_LEVEL'] ?? 'silent';
    const usual = { PORT: '0', RATE_LIMITS: 'off', LOG_LEVEL: level, DATA_DIR: dataDir };
    const config = loadConfiguration({ ...usual, ...environment });
    return new TestApp(await boot(config), config);
  }

  /** Stops it and starts it again on the same data; its port is another one. */
  async restart(): Promise<string> {
    await this.server.close();
    this.server = await boot(this.config);
    return this.url;
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.server.metricsPort}`;
  }

  async user(displayName = 'Ada'): Promise<TestUser> {
    const user = await TestUser.signUp(this.url, displayName);
    this.users.push(user);
    return user;
  }

  async someUsers(...displayNames: string[]): Promise<TestUser[]> {
    return Promise.all(displayNames.map((name) => this.user(name)));
  }

  /** What SIGTERM does to the process: with sockets open and commands under way. */
  async shutDown(): Promise<void> {
    this.closing ??= this.server.close();
    await this.closing;
  }

  /** Stops it; whatever a socket was told must have fitted the contract. */
  async stop(): Promise<void> {
    const sockets: TestSocket[] = this.users.flatMap((user) => user.sockets);
    for (const socket of sockets) socket.close();
    await this.shutDown();
    await rm(this.config.profile.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    const misfits = sockets.flatMap((socket) => socket.misfits);
    if (misfits.length > 0) throw new Error(`Events outside the contract: ${misfits.slice(0, 5).join('\n')}`);
  }
}

function boot(config: AppConfig): Promise<Standalone> {
  return bootstrapStandalone(config, { logger: createLogger(config.logging), fsync: false });
}
