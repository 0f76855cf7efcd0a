import { randomBytes, randomUUID } from 'node:crypto';
import {
  type CommandRecord,
  type ConversationCommand,
  NoPipelineMetrics,
  type Outcome,
  PartitionOwner,
  PartitionRunner,
} from '@parley/domain';
import { type AppConfig, openDatabase, openPipelineAdapters, type PipelineAdapters } from '@parley/infra';
import { loadConfiguration } from '@parley/infra/config';
import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decideHere } from '../../apps/cli/src/decide-here.js';
import { runTool } from '../../apps/cli/src/run-tool.js';
import { send, user } from '../../libs/domain/src/conversation/testing/given-conversation.js';
import { testCassandra } from '../../libs/infra/src/cassandra/testing/test-keyspace.testing.js';
import { connectCassandra } from '../../libs/infra/src/cassandra/index.js';
import { clientOptions } from '../../libs/infra/src/kafka/index.js';
import { administer } from '../../scripts/engines/index.mjs';

const NAME = `t_${randomBytes(6).toString('hex')}`;
const CONVERSATION = randomUUID();
const ADMIN_URL = process.env['POSTGRES_ADMIN_URL'] ?? '';

function environmentOf(more: Record<string, string> = {}): Record<string, string> {
  const url = new URL(ADMIN_URL);
  url.pathname = NAME;
  const given = ['KAFKA_BROKERS', 'CASSANDRA_CONTACT_POINTS', 'REDIS_URL'].map((name) => [name, process.env[name]]);
  return {
    ...(Object.fromEntries(given) as Record<string, string>),
    PROFILE: 'cluster',
    AUTH_JWT_SECRET: 'x'.repeat(32),
    DATABASE_URL: url.href,
    PARTITIONS: '3',
    KAFKA_TOPIC_PREFIX: NAME,
    KAFKA_REPLICATION_FACTOR: '1',
    CASSANDRA_KEYSPACE: NAME,
    CASSANDRA_REPLICATION_FACTOR: '1',
    CASSANDRA_LOCAL_DC: testCassandra().localDataCenter,
    REDIS_KEY_PREFIX: `${NAME}:`,
    ...more,
  };
}

async function parley(args: string[], more: Record<string, string> = {}): Promise<{ code: number; said: string }> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const code = await runTool(args, environmentOf(more), { say, complain: say });
  return { code, said: lines.join('\n') };
}

describe('the operator’s tool on the engines of the cluster', () => {
  let config: AppConfig;
  let adapters: PipelineAdapters | undefined;
  let close: () => Promise<void> = async () => {};

  beforeAll(async () => {
    await administer(ADMIN_URL, `CREATE DATABASE ${NAME}`);
    config = loadConfiguration(environmentOf());
  });
  afterAll(async () => {
    await close();
    const client = await connectCassandra({ ...testCassandra(), keyspace: NAME }, null);
    await client.execute(`DROP KEYSPACE IF EXISTS ${NAME}`, [], { prepare: false, readTimeout: 30_000 });
    await client.shutdown();
    await administer(ADMIN_URL, `DROP DATABASE ${NAME} WITH (FORCE)`);
  });

  async function open(): Promise<PipelineAdapters> {
    if (adapters) return adapters;
    const databaseUrl = environmentOf()['DATABASE_URL'] ?? '';
    const database = await openDatabase({ url: databaseUrl, poolSize: 4 });
    const onTrouble = (): void => {};
    const opened = await openPipelineAdapters({
      config,
      database,
      databaseUrl,
      alone: false,
      clientId: 'test',
      onTrouble,
    });
    close = async () => {
      await opened.close();
      await database.close();
    };
    return (adapters = opened);
  }

  async function recordOf(name: string, command: object): Promise<CommandRecord> {
    const { replies } = await open();
    return {
      version: 1,
      commandId: randomUUID(),
      conversationId: CONVERSATION,
      actorId: user(name),
      origin: { processId: replies.processId, connectionId: null },
      command: command as ConversationCommand,
      submittedAt: Date.now(),
    };
  }

  /** As a worker would. */
  async function decide(name: string, command: object): Promise<Outcome | null> {
    const opened = await open();
    const record = await recordOf(name, command);
    const outcome = opened.replies.expect(record.commandId, 20_000);
    return decideHere(opened, record, outcome, () => {});
  }

  it('says what is missing before anything was made', async () => {
    const { code, said } = await parley(['doctor']);
    expect(code).toBe(1);
    expect(said).toMatch(/^PROBLEM {2}Postgres lacks accounts.+Run "parley migrate"\.$/m);
    expect(said).toMatch(/^PROBLEM {2}Kafka lacks topics of Parley\. Run "parley migrate"\.$/m);
    expect(said).toMatch(/^PROBLEM {2}Cassandra does not answer: .*does not exist/m);
    expect(said).toMatch(/^ok {7}Redis \d+\.\d+/m);
    expect(said).toMatch(/^ok {7}The clock of Redis differs by 0 s/m);
  });

  it('makes tables, topics and keyspace, at the second time none', async () => {
    const first = await parley(['migrate']);
    expect(first.said).toContain('Partitions: 3, for life.');
    expect(first.said).toContain(`Kafka: the topics ${NAME}.commands and ${NAME}.events are there and fit.`);
    expect(first.said).toMatch(/^Cassandra: applied 1/m);
    expect(first.code).toBe(0);
    const second = await parley(['migrate']);
    expect(second.said).toMatch(/Postgres: up to date\.[^]*Cassandra: up to date\./);
  });

  it('then misses nothing but workers', async () => {
    const { said } = await parley(['doctor']);
    const problems = said
      .split('\n')
      .filter((line) => line.startsWith('PROBLEM') && !line.includes('Postgres runs with'));
    expect(problems).toEqual([
      expect.stringContaining('0 workers live. Start worker processes'),
      expect.stringContaining('Nobody owns partitions 0, 1, 2.'),
    ]);
  });

  it('notices a topic that was given settings under which records would be lost or refused', async () => {
    const connection = { brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'test' };
    const admin = new Admin(clientOptions(connection));
    const set = (value: string): Promise<unknown> =>
      admin.incrementalAlterConfigs({
        resources: [
          {
            resourceType: ConfigResourceTypes.TOPIC,
            resourceName: `${NAME}.commands`,
            configs: [{ name: 'cleanup.policy', configOperation: 0, value }],
          },
        ],
        validateOnly: false,
      });
    try {
      await set('compact');
      const { code, said } = await parley(['doctor']);
      expect(said).toContain(`PROBLEM  Topic ${NAME}.commands has cleanup.policy compact, and only delete will do.`);
      expect(code).toBe(1);
      await set('delete');
    } finally {
      await admin.close();
    }
  });

  it.each([
    ['PARTITIONS', '4', 'PARTITIONS says 4, and their number is fixed for life: set PARTITIONS=3.'],
    ['KAFKA_REPLICATION_FACTOR', '3', 'KAFKA_REPLICATION_FACTOR says 3'],
    ['CASSANDRA_REPLICATION_FACTOR', '3', 'CASSANDRA_REPLICATION_FACTOR says 3'],
  ])('notices that %s=%s is not what there is', async (name, value, sentence) => {
    const { code, said } = await parley(['doctor'], { [name]: value });
    expect(code).toBe(1);
    expect(said).toContain(sentence);
  });

  it('counts what waits in each partition of the log', async () => {
    const { log } = await open();
    const command = { type: 'create-conversation', conversationType: 'group', name: 'A', memberIds: [user('b')] };
    await log.append([await recordOf('a', command)]);
    await log.append([await recordOf('a', send('first'))]);
    const { code, said } = await parley(['lag']);
    expect(code).toBe(0);
    expect(said).toMatch(/^ +\d +0 +2 {2}nobody$/m);
    expect(said).toMatch(/^2 records wait\.$/m);
    expect(await decide('b', send('second'))).toMatchObject({ kind: 'sent', seq: 2 });
    expect((await parley(['lag'])).said).toMatch(/^0 records wait\.$/m);
  });

  it('makes read models and messages anew from Kafka, also what Cassandra has lost', async () => {
    const opened = await open();
    const facts = await opened.store.read({
      conversationId: CONVERSATION,
      range: { fromSeq: 1, toSeq: 2 },
      order: 'oldest-first',
      limit: 10,
      bytesMax: 1_000_000,
    });
    expect(facts.map(({ clientMsgId }) => clientMsgId)).toEqual(['first', 'second']);
    const { messageId, seq } = facts[0]!;
    const message = { messageId, seq, authorId: user('a'), deleted: false };
    expect(await decide('a', { type: 'edit-message', message, content: 'edited' })).toMatchObject({ kind: 'changed' });
    const before = await opened.store.find(
      CONVERSATION,
      facts.map((each) => each.messageId),
    );

    const client = await connectCassandra({ ...testCassandra(), keyspace: NAME });
    for (const table of [
      'message',
      'message_bucket',
      'message_place',
      'message_change',
      'message_change_bucket',
      'sent_key',
    ])
      await client.execute(`TRUNCATE ${table}`, [], { prepare: false, readTimeout: 30_000 });
    await client.shutdown();
    const database = new pg.Client({ connectionString: environmentOf()['DATABASE_URL'] });
    await database.connect();
    await database.query('DELETE FROM conversation_member');
    expect(await opened.store.find(CONVERSATION, [messageId])).toEqual([]);

    const { code, said } = await parley(['rebuild', '--messages']);
    expect(said).toContain('Put right: 0 conversations, 2 members, 0 members too many');
    expect(code).toBe(0);
    const after = await opened.store.find(
      CONVERSATION,
      facts.map((each) => each.messageId),
    );
    expect(new Map(after.map((each) => [each.seq, each]))).toEqual(new Map(before.map((each) => [each.seq, each])));
    expect(after.find((each) => each.seq === 1)).toMatchObject({ content: 'edited' });
    const { rows } = await database.query('SELECT user_id FROM conversation_member ORDER BY user_id');
    expect(rows).toEqual([{ user_id: user('a') }, { user_id: user('b') }]);
    await database.end();
    expect(await decide('a', send('first'))).toMatchObject({ kind: 'sent', seq: 1, duplicate: true });
  });

  it('finds nothing missing beside a worker, and rebuilds while it works', async () => {
    const opened = await open();
    const worker = await Worker.start(opened);
    const ask = async (name: string, command: object): Promise<Outcome | null> => {
      const record = await recordOf(name, command);
      const outcome = opened.replies.expect(record.commandId, 20_000);
      await opened.log.append([record]);
      return outcome;
    };
    try {
      await vi.waitFor(() => expect(worker.owned).toBe(3), { timeout: 15_000 });
      const { said } = await parley(['doctor']);
      expect(said).toMatch(/^ok {7}1 workers live\.$/m);
      expect(said).toMatch(/^ok {7}Every partition has its owner\.$/m);
      expect((await parley(['lag'])).said).not.toContain('nobody');

      let sending = true;
      const outcomes: (Outcome | null)[] = [];
      const busy = (async () => {
        for (let n = 0; sending || n < 30; n += 1) outcomes.push(await ask('a', send(`busy-${n}`)));
      })();
      const database = new pg.Client({ connectionString: environmentOf()['DATABASE_URL'] });
      await database.connect();
      await database.query("UPDATE conversation SET created_at = created_at - interval '1 day'");
      await database.end();
      const rebuilt = await parley(['rebuild']);
      sending = false;
      await busy;
      expect(rebuilt.said).toMatch(/Put right: 1 conversations, 0 members,/);
      const seqs = outcomes.map((outcome) => (outcome?.kind === 'sent' ? outcome.seq : null));
      expect(seqs).toEqual(seqs.map((_, n) => 3 + n));
      expect(await parley(['rebuild', '--check'])).toMatchObject({ code: 0 });
      expect(worker.troubles).toContain('fenced');
    } finally {
      await worker.stop();
    }
  });
});

/** What a worker process does, in this one. */
class Worker {
  readonly troubles: string[] = [];
  private readonly runner: PartitionRunner;
  private stopping = false;
  private working: Promise<void> = Promise.resolve();

  private constructor(private readonly adapters: PipelineAdapters) {
    const onTrouble = (what: string): void => void this.troubles.push(what);
    const owner = new PartitionOwner({ ...adapters, metrics: new NoPipelineMetrics() }, { onTrouble });
    const options = { ownerId: randomUUID(), partitions: 3, exclusive: false, onTrouble, renewalMs: 200 };
    this.runner = new PartitionRunner(owner, adapters.leases, options);
  }

  static async start(adapters: PipelineAdapters): Promise<Worker> {
    const worker = new Worker(adapters);
    await worker.runner.start();
    worker.working = worker.work();
    return worker;
  }

  get owned(): number {
    return this.runner.owned().size;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.working;
    await this.runner.stop();
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      await this.runner.settle();
      await this.runner.process(await this.adapters.log.read(this.runner.positions(), 1_000, 50));
      await this.runner.settle();
      this.runner.publish();
    }
  }
}
