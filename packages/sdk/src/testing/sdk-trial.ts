import {
  logIn,
  memoryStore,
  signUp,
  type ParleyClient,
  type ParleyConversation,
  type ParleyStore,
  type TimelineItem,
} from '../index.js';
import type { AccountOptions } from '../index.js';
import { TestApp } from '../../../../test/clients/test-app.js';
import { freshName, PASSWORD, type TestUser } from '../../../../test/clients/test-user.js';
import { targetOf, TcpProxy } from '../../../../test/faults/tcp-proxy.js';

const WAIT_MS = 20_000;

export interface Person {
  readonly client: ParleyClient;
  readonly username: string;
  readonly store: ParleyStore;
}

/** The real server, a faulty network before it, and people who use the SDK through that. */
export class SdkTrial {
  readonly faults: unknown[] = [];
  private readonly clients: ParleyClient[] = [];

  private constructor(
    readonly app: TestApp,
    readonly proxy: TcpProxy,
  ) {}

  static async start(environment: Record<string, string> = {}): Promise<SdkTrial> {
    const app = await TestApp.start(environment);
    return new SdkTrial(app, await TcpProxy.start(targetOf(app.url)));
  }

  async person(displayName: string, options: Partial<AccountOptions> = {}): Promise<Person> {
    const username = freshName();
    const store = options.store ?? memoryStore();
    const account = { ...this.options(store), ...options, username, password: PASSWORD, displayName };
    return { client: this.kept(await signUp(account)), username, store };
  }

  /** The same person on another device, or in another tab with the same store. */
  async again({ username }: Person, options: Partial<AccountOptions> = {}): Promise<ParleyClient> {
    const store = options.store ?? memoryStore();
    return this.kept(await logIn({ ...this.options(store), ...options, username, password: PASSWORD }));
  }

  options(store: ParleyStore): AccountOptions {
    return { url: this.proxy.url, store, onFault: (fault) => this.faults.push(fault) };
  }

  kept(client: ParleyClient): ParleyClient {
    this.clients.push(client);
    return client;
  }

  /** The messages of a conversation as the server has them, all of them, oldest first. */
  async history(user: TestUser, conversationId: string): Promise<{ seq: number; content: string }[]> {
    const all: { seq: number; content: string }[] = [];
    let before = '';
    for (;;) {
      const page = await user.history(conversationId, `?limit=100${before}`);
      all.unshift(...page.items.map(({ seq, content }) => ({ seq, content })).reverse());
      if (!page.hasBefore) return all;
      before = `&before=${page.items.at(-1)?.messageId}`;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.proxy.close();
    await this.app.stop();
  }
}

/** Seq and content of what is stored, as a timeline shows it. */
export function placed(items: readonly TimelineItem[]): { seq: number; content: string }[] {
  return items.flatMap(({ seq, content }) => (seq === null ? [] : [{ seq, content }]));
}

/** Waits until it is so, looking again at each change of the conversation. */
export async function until(
  conversation: ParleyConversation,
  isSo: (items: readonly TimelineItem[]) => boolean,
  what = 'as expected',
  waitMs = WAIT_MS,
): Promise<void> {
  await new Promise<void>((done, fail) => {
    const check = (): void => {
      if (isSo(conversation.timeline)) end(done);
    };
    const stops = [conversation.on('timeline', check), conversation.on('details', check)];
    const timer = setTimeout(() => {
      const last = conversation.timeline.slice(-3).map(({ seq, content, status }) => `${seq} ${content} ${status}`);
      end(() => fail(new Error(`Not ${what} in ${waitMs} ms; last: ${last.join(', ')}`)));
    }, waitMs);
    const end = (then: () => void): void => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      then();
    };
    check();
  });
}

/** Waits for a connection state. */
export async function untilConnection(client: ParleyClient, status: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    const check = (): void => {
      if (client.connectionState.status !== status) return;
      clearTimeout(timer);
      stop();
      done();
    };
    const stop = client.on('connection', check);
    const timer = setTimeout(() => {
      stop();
      fail(new Error(`${client.connectionState.status}, not ${status}`));
    }, WAIT_MS);
    check();
  });
}
