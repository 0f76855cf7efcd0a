import { join } from 'node:path';
import {
  type AppConfig,
  cassandraConditionOf,
  kafkaConditionOf,
  type PostgresCondition,
  postgresCondition,
  redisConditionOf,
} from '@parley/infra';
import { checked, type Finding, lineOf, problem, well } from './findings.js';
import { partitionLags } from './lag.js';
import type { Tool } from './tool.js';
import { openToolDatabase, type ToolDatabase } from './tool-database.js';

/** Times are taken from the broker or the database; a clock that is far off makes messages look sent at another time. */
const CLOCK_DIFFERENCE_MS_MAX = 2_000;
/** More than this waits only when owners do not keep up; less may be what came a moment ago. */
const WAITING_RECORDS_MAX = 1_000;
const POSTGRES_MAJOR_MIN = 14;
const CASSANDRA_MAJOR_MIN = 4;
/** Sharded publish and subscribe. */
const REDIS_MAJOR_MIN = 7;
/** Of the connections that Postgres allows. */
const CONNECTIONS_PART_MAX = 0.9;

/** Asks every engine that the configuration chose; one that does not answer hides nothing about the others. */
export async function doctor({ config, say }: Tool): Promise<number> {
  const findings = await Promise.all([
    answering('Postgres', databaseAdvice(config), () => databaseFindings(config)),
    answering('Kafka', 'Is it running, and does KAFKA_BROKERS name it?', () => kafkaFindings(config)),
    answering('Cassandra', 'Is it running, and does CASSANDRA_CONTACT_POINTS name it?', () =>
      cassandraFindings(config),
    ),
    answering('Redis', 'Is it running, and does REDIS_URL name it?', () => redisFindings(config)),
  ]);
  const all = findings.flat();
  for (const finding of all) say(lineOf(finding));
  const problems = all.filter(({ advice }) => advice !== undefined).length;
  say(problems === 0 ? 'All is well.' : `${problems} ${problems === 1 ? 'problem' : 'problems'}.`);
  return problems === 0 ? 0 : 1;
}

function databaseAdvice({ database: { url }, profile: { dataDir } }: AppConfig): string {
  if (url !== undefined) return 'Is it running, and does DATABASE_URL name it?';
  return `It is the one that the server brings; its log is ${join(dataDir, 'postgres.log')}.`;
}

async function answering(engine: string, advice: string, ask: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await ask();
  } catch (error) {
    // Drivers put stacks and the like behind the first line.
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return [problem(`${engine} does not answer: ${why.replace(/\.$/, '') || 'no reason given'}.`, advice)];
  }
}

async function databaseFindings(config: AppConfig): Promise<Finding[]> {
  const database = await openToolDatabase(config, 'look');
  try {
    const before = Date.now();
    const condition = await postgresCondition(database.pool);
    const findings = [
      ...serverFindings(condition),
      clock('Postgres', condition.nowMs, before),
      migrationFinding(condition),
    ];
    if (condition.partitions.length === 0) return findings;
    return [...findings, ...(await pipelineFindings(config, database, condition))];
  } finally {
    await database.close();
  }
}

function serverFindings({ version, unsafeSettings, connections: { used, max } }: PostgresCondition): Finding[] {
  const findings = [
    checked(
      Number.parseInt(version, 10) < POSTGRES_MAJOR_MIN,
      `Postgres ${version}.`,
      `Use ${POSTGRES_MAJOR_MIN} or newer.`,
    ),
    checked(
      used > max * CONNECTIONS_PART_MAX,
      `Postgres has ${used} of ${max} connections in use.`,
      'Raise max_connections, or lower DATABASE_POOL_CONNECTIONS_MAX.',
    ),
  ];
  if (unsafeSettings.length === 0) return findings;
  const settings = unsafeSettings.join(', ');
  return [
    ...findings,
    problem(`Postgres runs with ${settings}.`, 'A power cut would lose acknowledged messages: set it on.'),
  ];
}

function migrationFinding({ migrationsMissing: missing, migrationsUnknown: unknown }: PostgresCondition): Finding {
  if (unknown.length > 0) {
    return problem(
      `Postgres has migrations that this version does not know: ${unknown.join(', ')}.`,
      'Use the version that made them.',
    );
  }
  return checked(
    missing.length > 0,
    missing.length > 0 ? `Postgres lacks ${missing.join(', ')}.` : 'Postgres has all migrations.',
    'Run "parley migrate".',
  );
}

async function pipelineFindings(
  config: AppConfig,
  { pool }: ToolDatabase,
  { partitions, workers, deadLetters, deadEvents }: PostgresCondition,
): Promise<Finding[]> {
  const findings = [
    checked(
      config.profile.name === 'cluster' && partitions.length !== config.pipeline.partitions,
      `${partitions.length} partitions.`,
      `PARTITIONS says ${config.pipeline.partitions}, and their number is fixed for life: set PARTITIONS=${partitions.length}.`,
    ),
    checked(deadLetters > 0, `${deadLetters} commands were set aside.`, 'See "parley dead-letters list".'),
    checked(deadEvents > 0, `${deadEvents} events were given up by handlers.`, 'See "parley dead-letters list".'),
  ];
  if (config.profile.name === 'cluster') {
    const alone = partitions.filter(({ owner }) => owner === null).map(({ partition }) => partition);
    findings.push(
      checked(workers === 0, `${workers} workers live.`, 'Start worker processes: nothing is decided without one.'),
      checked(
        alone.length > 0,
        alone.length > 0 ? `Nobody owns partitions ${alone.join(', ')}.` : 'Every partition has its owner.',
        'A worker takes them within 10 s; if none does, look into the logs of the workers.',
      ),
    );
  }
  return [...findings, ...(await lagFindings(config, pool))];
}

async function lagFindings(config: AppConfig, pool: ToolDatabase['pool']): Promise<Finding[]> {
  return answering('The command log', 'See what is said of its engine.', async () => {
    const behind = (await partitionLags(config, pool)).filter(({ waiting }) => (waiting ?? 0) > WAITING_RECORDS_MAX);
    if (behind.length === 0) return [well('The owners keep up with the log.')];
    const names = behind.map(({ partition, waiting }) => `${partition} (${waiting})`).join(', ');
    return [
      problem(
        `Records wait in partitions ${names}.`,
        'If "parley lag" does not show it fall, add workers or look why they wait.',
      ),
    ];
  });
}

async function kafkaFindings(config: AppConfig): Promise<Finding[]> {
  const condition = await kafkaConditionOf(config);
  if (!condition) return [];
  const { brokers, topics } = condition;
  const findings = [well(`Kafka has ${brokers} brokers.`)];
  if (topics.length < 2) findings.push(problem('Kafka lacks topics of Parley.', 'Run "parley migrate".'));
  for (const { topic, partitions, replicas, underReplicated, leaderless, problems } of topics) {
    findings.push(
      ...problems.map((sentence) => problem(sentence, 'Processes refuse to start on it.')),
      ...(problems.length === 0
        ? [well(`Topic ${topic} has ${partitions} partitions and the settings it needs.`)]
        : []),
      checked(
        replicas < config.kafka.replicationFactor,
        `Topic ${topic} keeps ${replicas} copies of a record.`,
        `KAFKA_REPLICATION_FACTOR says ${config.kafka.replicationFactor}: add replicas by kafka-reassign-partitions.`,
      ),
      checked(
        underReplicated > 0,
        `Topic ${topic} has ${underReplicated} partitions with a replica that is away.`,
        'Bring the missing broker back.',
      ),
      checked(leaderless > 0, `Topic ${topic} has ${leaderless} partitions without a leader.`, 'Bring a broker back.'),
    );
  }
  return findings;
}

async function cassandraFindings(config: AppConfig): Promise<Finding[]> {
  const condition = await cassandraConditionOf(config);
  if (!condition) return [];
  const { version, schemaVersion, schemaVersionWanted, replication, nodesUp, nodes } = condition;
  const copies = replication[config.cassandra.localDataCenter] ?? 0;
  return [
    checked(
      Number.parseInt(version, 10) < CASSANDRA_MAJOR_MIN,
      `Cassandra ${version}.`,
      `Use ${CASSANDRA_MAJOR_MIN} or newer.`,
    ),
    checked(
      schemaVersion !== schemaVersionWanted,
      `Cassandra's schema is at ${schemaVersion} of ${schemaVersionWanted}.`,
      schemaVersion < schemaVersionWanted ? 'Run "parley migrate".' : 'Use the version of Parley that made it.',
    ),
    checked(
      nodesUp < nodes,
      `${nodesUp} of ${nodes} nodes of Cassandra are up.`,
      'Bring the missing ones back; with two of three copies away nothing is read or written.',
    ),
    checked(
      copies < config.cassandra.replicationFactor,
      `Cassandra keeps ${copies} copies of a message.`,
      `CASSANDRA_REPLICATION_FACTOR says ${config.cassandra.replicationFactor}: ALTER KEYSPACE and repair.`,
    ),
  ];
}

async function redisFindings(config: AppConfig): Promise<Finding[]> {
  const before = Date.now();
  const condition = await redisConditionOf(config);
  if (!condition) return [];
  const { version, nowMs } = condition;
  return [
    checked(
      Number.parseInt(version, 10) < REDIS_MAJOR_MIN,
      `Redis ${version}.`,
      `Use ${REDIS_MAJOR_MIN} or newer: it must know sharded channels.`,
    ),
    clock('Redis', nowMs, before),
  ];
}

/** @param before when the engine was asked: its time was read between then and now */
function clock(engine: string, engineMs: number, before: number): Finding {
  const after = Date.now();
  const differenceMs = engineMs < before ? engineMs - before : Math.max(0, engineMs - after);
  return checked(
    Math.abs(differenceMs) > CLOCK_DIFFERENCE_MS_MAX,
    `The clock of ${engine} differs by ${Math.round(differenceMs / 100) / 10} s from this machine's.`,
    'Let both follow a time server.',
  );
}
