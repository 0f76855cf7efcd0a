import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@parley/infra';
import { loadConfiguration } from '@parley/infra/config';
import { bootstrapStandalone, type Standalone } from '../../apps/standalone/src/bootstrap.js';
import { copyTestCluster } from '../../libs/infra/src/postgres/embedded/testing.js';
import type { TestSocket } from './test-socket.js';
import { TestUser } from './test-user.js';

const FOLDER_PREFIX = 'parley-test-app-';

/** The whole application in this process, on its own database, and the users that a test made of it. */
export class TestApp {
  private readonly users: TestUser[] = [];
  private closing: Promise<unknown> | undefined;

  private constructor(
    private readonly server: Standalone,
    private readonly dataDir: string,
  ) {}

  /** @param environment as `npm start` would read it; a free port and no rate limits unless it says otherwise */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<TestApp> {
    const dataDir = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
    await copyTestCluster(dataDir);
    const config = loadConfiguration({
      PORT: '0',
      RATE_LIMITS: 'off',
      LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'silent',
      DATA_DIR: dataDir,
      ...environment,
    });
    const logger = createLogger(config.logging);
    return new TestApp(await bootstrapStandalone(config, { logger, fsync: false }), dataDir);
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
    await rm(this.dataDir, { recursive: true, force: true });
    const misfits = sockets.flatMap((socket) => socket.misfits);
    if (misfits.length > 0) throw new Error(`Events outside the contract: ${misfits.slice(0, 5).join('\n')}`);
  }
}
