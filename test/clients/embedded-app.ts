import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@parley/infra';
import { loadConfiguration, type AppConfig } from '@parley/infra/config';
import { bootstrapStandalone, type Standalone } from '../../apps/standalone/src/bootstrap.js';
import { copyTestCluster } from '../../libs/infra/src/postgres/embedded/testing.js';
import { figuresAt, type ServedApp } from './served-app.js';

/** Begins as the folders of the test server do, which clears up what killed test processes left. */
const FOLDER_PREFIX = 'parley-test-postgres-app-';

/** The embedded profile: the whole application in this process, on its own database. */
export class EmbeddedApp implements ServedApp {
  private constructor(
    private server: Standalone,
    private readonly config: AppConfig,
  ) {}

  /** @param environment as `npm start` would read it */
  static async start(environment: Readonly<Record<string, string>>): Promise<EmbeddedApp> {
    const dataDir = await mkdtemp(join(tmpdir(), FOLDER_PREFIX));
    await copyTestCluster(dataDir);
    const config = loadConfiguration({ PORT: '0', DATA_DIR: dataDir, ...environment });
    return new EmbeddedApp(await boot(config), config);
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}`;
  }

  get gatewayUrls(): string[] {
    return [this.url];
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.server.metricsPort}`;
  }

  async figures(): Promise<string> {
    return figuresAt(this.url);
  }

  async restart(): Promise<void> {
    await this.server.close();
    this.server = await boot(this.config);
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  async remove(): Promise<void> {
    await rm(this.config.profile.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

function boot(config: AppConfig): Promise<Standalone> {
  return bootstrapStandalone(config, { logger: createLogger(config.logging), fsync: false });
}
