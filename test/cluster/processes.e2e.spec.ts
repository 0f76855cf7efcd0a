import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Message, Session } from '@parley/contracts';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const SOON = { timeout: 20_000, interval: 50 };

interface State {
  processes: { name: string; role: 'api' | 'gateway' | 'worker'; pid: number; url: string }[];
}

/** `npm run cluster` on the engines of this test run. */
class Cluster {
  private constructor(
    private readonly script: ChildProcess,
    readonly apiUrl: string,
    readonly state: State,
    private readonly ended: Promise<number | null>,
  ) {}

  /** @param without engines' variables that are taken away, to show that they are not needed */
  static async start(args: readonly string[], without: readonly string[]): Promise<Cluster> {
    const given = Object.entries(process.env).filter(([name]) => !without.includes(name));
    const script = spawn(process.execPath, [join(ROOT, 'scripts', 'cluster.mjs'), '--given-engines', ...args], {
      cwd: ROOT,
      env: { ...Object.fromEntries(given), RATE_LIMITS: 'off', PARTITIONS: '12' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    script.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => script.once('exit', resolve));
    const line = await new Promise<string>((resolve, reject) => {
      let out = '';
      script.stdout.on('data', (chunk: Buffer) => {
        out += chunk.toString();
        if (/^ready .*\n/m.test(out)) resolve(out);
      });
      void ended.then((code) => reject(new Error(`the cluster ended (${code}): ${said}`)));
    });
    const [, apiUrl = '', file = ''] = line.trim().split(' ');
    return new Cluster(script, apiUrl, JSON.parse(readFileSync(file, 'utf8')) as State, ended);
  }

  get gatewayUrls(): string[] {
    return this.state.processes.filter(({ role }) => role === 'gateway').map(({ url }) => url);
  }

  pidsOf(role: string): number[] {
    return this.state.processes.filter((each) => each.role === role).map(({ pid }) => pid);
  }

  /** @returns the exit code of the script */
  async stop(): Promise<number | null> {
    this.script.kill('SIGTERM');
    return this.ended;
  }

  async call<T>(method: string, path: string, token?: string, body?: object): Promise<{ status: number; body: T }> {
    const response = await fetch(`${this.apiUrl}${path}`, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as T };
  }

  async signUp(): Promise<Session> {
    const username = `u${randomUUID().slice(0, 12)}`;
    const account = { username, password: 'a long password', displayName: username };
    return (await this.call<Session>('POST', '/v1/auth/signup', undefined, account)).body;
  }

  async group(owner: Session, member: Session): Promise<string> {
    const wanted = { type: 'group', memberIds: [member.user.userId], name: 'Group' };
    const { body } = await this.call<{ conversationId: string }>(
      'POST',
      '/v1/conversations',
      owner.accessToken,
      wanted,
    );
    return body.conversationId;
  }

  async history(conversationId: string, { accessToken }: Session): Promise<string[]> {
    const path = `/v1/conversations/${conversationId}/messages?limit=100`;
    const { body } = await this.call<{ items?: Message[] }>('GET', path, accessToken);
    return (body.items ?? []).map(({ content }) => content ?? '').toReversed();
  }
}

async function connect(url: string, { accessToken }: Session): Promise<Socket> {
  const auth = { token: accessToken, deviceId: randomUUID() };
  const socket = io(url, { transports: ['websocket'], auth, forceNew: true, reconnection: false });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return socket;
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.each([
  ['Kafka, Cassandra, Redis and Postgres', [], []],
  ['Postgres and Redis alone', ['--middle-way'], ['KAFKA_BROKERS', 'CASSANDRA_CONTACT_POINTS']],
])('two gateways, an api and two workers on %s', (_engines, args, without) => {
  let cluster: Cluster;
  let ada: Session;
  let bob: Session;
  beforeAll(async () => {
    cluster = await Cluster.start(args, without);
    [ada, bob] = await Promise.all([cluster.signUp(), cluster.signUp()]);
  }, 120_000);
  afterAll(async () => {
    await cluster.stop();
  }, 60_000);

  it('bring what is sent at one gateway to the other, and every answered message is in the history', async () => {
    const group = await cluster.group(ada, bob);
    const gateways = async (): Promise<string[]> => {
      const path = '/v1/connect';
      const { body } = await cluster.call<{ url: string; fallbackUrls?: string[] }>('GET', path, ada.accessToken);
      return [body.url, ...(body.fallbackUrls ?? [])];
    };
    await vi.waitFor(async () => expect(await gateways()).toHaveLength(2), SOON);
    const [first = '', second = ''] = await gateways();
    const [here, there] = await Promise.all([connect(first, ada), connect(second, bob)]);
    const received: string[] = [];
    there.on('new_message', ({ content }: Message) => received.push(content ?? ''));
    const sent = Array.from({ length: 20 }, (_, i) => `message ${i}`);
    for (const content of sent) {
      const payload = { conversationId: group, content, clientMsgId: randomUUID() };
      const answer = (await here.timeout(10_000).emitWithAck('send_message', payload)) as object;
      expect(answer).toMatchObject({ ok: true });
    }
    await vi.waitFor(() => expect(received).toEqual(sent), SOON);
    await vi.waitFor(async () => expect(await cluster.history(group, bob)).toEqual(sent), SOON);
    here.close();
    there.close();
  });

  it('lose nothing that was answered when a worker is killed, and go on with the other one', async () => {
    const groups = await Promise.all(Array.from({ length: 8 }, () => cluster.group(ada, bob)));
    const [victim = 0] = cluster.pidsOf('worker');
    process.kill(victim, 'SIGKILL');
    const killedAt = performance.now();
    const answers = await Promise.all(
      groups.map((group) =>
        cluster.call('POST', `/v1/conversations/${group}/messages`, ada.accessToken, {
          content: 'after the kill',
          clientMsgId: randomUUID(),
        }),
      ),
    );
    for (const { status } of answers) expect([201, 202]).toContain(status);
    for (const group of groups) {
      await vi.waitFor(async () => expect(await cluster.history(group, bob)).toEqual(['after the kill']), SOON);
    }
    expect(performance.now() - killedAt).toBeLessThan(20_000);
    expect(isRunning(victim)).toBe(false);
    // Through both doors, for every group, whoever owned its partition.
    const [first = '', second = ''] = cluster.gatewayUrls;
    const sockets = await Promise.all([connect(first, ada), connect(second, bob)]);
    const heard = sockets.map((socket) => {
      const contents: string[] = [];
      socket.on('new_message', ({ content }: Message) => contents.push(content ?? ''));
      return contents;
    });
    for (const [i, socket] of sockets.entries()) {
      for (const conversationId of groups) {
        const payload = { conversationId, content: `by gateway ${i}`, clientMsgId: randomUUID() };
        expect(await socket.timeout(10_000).emitWithAck('send_message', payload)).toMatchObject({ status: 'stored' });
      }
    }
    const from = (i: number): string[] => groups.map(() => `by gateway ${i}`);
    await vi.waitFor(() => expect(heard).toEqual([from(1), from(0)]), SOON);
    for (const socket of sockets) socket.close();
  });

  it('all end when they are stopped', async () => {
    expect(await cluster.stop()).toBe(0);
    expect(cluster.state.processes.filter(({ pid }) => isRunning(pid))).toEqual([]);
  }, 60_000);
});
