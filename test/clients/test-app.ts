import type { Company, ServedApp } from './served-app.js';
import type { TestSocket } from './test-socket.js';
import { TestUser } from './test-user.js';

/** The application in the profile of this test run, and the users that a test made of it. */
export class TestApp {
  private readonly users: TestUser[] = [];
  private closing: Promise<unknown> | undefined;

  private constructor(private readonly served: ServedApp) {}

  /**
   * TEST_PROFILE says which profile; without it, embedded.
   * @param environment as `npm start` would read it; no rate limits unless it says otherwise
   * @param company who else may use it at the same time; in the embedded profile nobody ever does
   */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    company: Company = Object.keys(environment).length === 0 ? 'all' : 'own-doors',
  ): Promise<TestApp> {
    const level = process.env['LOG_LEVEL'] ?? 'silent';
    const usual = { RATE_LIMITS: 'off', LOG_LEVEL: level, ...environment };
    return new TestApp(await start(usual, company));
  }

  /** Stops it and starts it again on the same data; its address may be another one. */
  async restart(): Promise<string> {
    await this.served.restart();
    return this.url;
  }

  get url(): string {
    return this.served.url;
  }

  get gatewayUrls(): readonly string[] {
    return this.served.gatewayUrls;
  }

  get metricsUrl(): string {
    return this.served.metricsUrl;
  }

  async figures(): Promise<string> {
    return this.served.figures();
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
    this.closing ??= this.served.close();
    await this.closing;
  }

  /** Stops it; whatever a socket was told must have fitted the contract. */
  async stop(): Promise<void> {
    const sockets: TestSocket[] = this.users.flatMap((user) => user.sockets);
    for (const socket of sockets) socket.close();
    await this.shutDown();
    await this.served.remove();
    const misfits = sockets.flatMap((socket) => socket.misfits);
    if (misfits.length > 0) throw new Error(`Events outside the contract: ${misfits.slice(0, 5).join('\n')}`);
  }
}

/** Each profile is loaded only where it is used: the cluster needs no embedded server, nor the other way round. */
async function start(environment: Readonly<Record<string, string>>, company: Company): Promise<ServedApp> {
  const profile = process.env['TEST_PROFILE'] ?? 'embedded';
  if (profile === 'embedded') return (await import('./embedded-app.js')).EmbeddedApp.start(environment);
  if (profile !== 'cluster') throw new Error(`TEST_PROFILE is embedded or cluster, not ${profile}`);
  return (await import('./cluster/cluster-app.js')).ClusterApp.start(environment, company);
}
