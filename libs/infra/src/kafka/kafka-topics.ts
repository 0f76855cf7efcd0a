import { reasonOf } from '@parley/domain';
import { Admin, ConfigResourceTypes, findErrorBy } from '@platformatic/kafka';
import { clientOptions, closeClient, type KafkaConnection, within } from './kafka-client.js';
import { GROUP_BYTES_MAX } from './record-sender.js';

export interface KafkaTopicsOptions extends KafkaConnection {
  /** The topics are `<prefix>.commands` and `<prefix>.events`. */
  topicPrefix: string;
  /** Fixed for life. */
  partitions: number;
  /** Of topics that are made here. */
  replicationFactor: number;
  /** How long commands are kept, for topics that are made here; it must outlive any outage of a store. */
  commandRetentionMs?: number;
}

export const COMMAND_RETENTION_MS_DEFAULT = 7 * 24 * 3_600_000;

/** A batch of one partition: what one append brings, and what a record takes besides. */
const BATCH_BYTES_MAX = GROUP_BYTES_MAX + 1_048_576;
/** Then another broker is asked, if there is one. */
const STEP_MS_MAX = 5_000;
const LEADERS_MS_MAX = 10_000;
const LEADERS_POLL_MS = 100;
const FOREVER_MS = '9223372036854775807';

export interface KafkaTopicNames {
  commands: string;
  events: string;
}

export function topicNames(prefix: string): KafkaTopicNames {
  return { commands: `${prefix}.commands`, events: `${prefix}.events` };
}

/** The topics that are there are not fit for use. One sentence for each thing that is wrong. */
export class KafkaTopicsUnfit extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join(' '));
    this.name = 'KafkaTopicsUnfit';
  }
}

/**
 * Makes the topics that are missing and checks those that are there; changes nothing about them.
 * @throws KafkaTopicsUnfit when they differ in what is fixed for life, or would lose records
 * @throws Error in one sentence when the brokers cannot be reached within some seconds, or refuse
 */
export async function openKafkaTopics(options: KafkaTopicsOptions): Promise<KafkaTopicNames> {
  for (let turn = 0; ; turn += 1) {
    try {
      return await openThrough(options, turn);
    } catch (error) {
      if (error instanceof KafkaTopicsUnfit || turn + 1 >= options.brokers.length) throw error;
    }
  }
}

async function openThrough(options: KafkaTopicsOptions, turn: number): Promise<KafkaTopicNames> {
  const admin = new Admin({
    ...clientOptions(options, turn),
    retries: 3,
    retryDelay: 200,
    requestTimeout: STEP_MS_MAX,
  });
  const names = topicNames(options.topicPrefix);
  try {
    const present = new Set(await ask(options, 'topics', admin.listTopics()));
    for (const topic of Object.values(names)) {
      if (!present.has(topic)) await createTopic(admin, options, topic, settingsOf(names, topic, options));
    }
    const problems: string[] = [];
    for (const topic of Object.values(names)) problems.push(...(await problemsOf(admin, options, names, topic)));
    if (problems.length > 0) throw new KafkaTopicsUnfit(problems);
    return names;
  } finally {
    await closeClient(admin);
  }
}

/** Offsets of events are found by their time, and that is the time of their records: the sender's, not the broker's. */
function settingsOf({ commands }: KafkaTopicNames, topic: string, options: KafkaTopicsOptions): Record<string, string> {
  const settings = {
    'cleanup.policy': 'delete',
    'retention.bytes': '-1',
    'max.message.bytes': String(BATCH_BYTES_MAX),
    'min.insync.replicas': options.replicationFactor > 2 ? '2' : '1',
    'unclean.leader.election.enable': 'false',
  };
  if (topic === commands) {
    const retentionMs = String(options.commandRetentionMs ?? COMMAND_RETENTION_MS_DEFAULT);
    return { ...settings, 'message.timestamp.type': 'LogAppendTime', 'retention.ms': retentionMs };
  }
  return {
    ...settings,
    'message.timestamp.type': 'CreateTime',
    'retention.ms': '-1',
    // A broker whose clock is behind the one that stamped the command must take its events all the same.
    'message.timestamp.after.max.ms': FOREVER_MS,
    'message.timestamp.before.max.ms': FOREVER_MS,
  };
}

async function createTopic(
  admin: Admin,
  options: KafkaTopicsOptions,
  topic: string,
  settings: Record<string, string>,
): Promise<void> {
  const { partitions, replicationFactor: replicas } = options;
  const configs = Object.entries(settings).map(([name, value]) => ({ name, value }));
  try {
    await ask(options, `making ${topic}`, admin.createTopics({ topics: [topic], partitions, replicas, configs }));
  } catch (error) {
    // Another process was faster: what it made is checked like any other.
    const { cause } = error as Error;
    if (!(cause instanceof Error) || !findErrorBy(cause, 'apiId', 'TOPIC_ALREADY_EXISTS')) throw error;
  }
  await leadersOf(admin, options, topic);
}

/** A topic that was just made has no leaders for some milliseconds. */
async function leadersOf(admin: Admin, options: KafkaTopicsOptions, topic: string): Promise<number> {
  const until = Date.now() + LEADERS_MS_MAX;
  for (;;) {
    try {
      const { topics } = await ask(options, topic, admin.metadata({ topics: [topic], forceUpdate: true }));
      const found = topics.get(topic);
      if (found && found.partitions.every(({ leader }) => leader >= 0)) return found.partitionsCount;
    } catch (error) {
      if (Date.now() > until) throw error;
    }
    if (Date.now() > until) throw new Error(`Not every partition of topic ${topic} has a leader.`);
    await new Promise((resolve) => setTimeout(resolve, LEADERS_POLL_MS));
  }
}

/** What would keep this topic from being used, a sentence each. */
export async function problemsOf(
  admin: Admin,
  options: KafkaTopicsOptions,
  names: KafkaTopicNames,
  topic: string,
): Promise<string[]> {
  const problems: string[] = [];
  const partitions = await leadersOf(admin, options, topic);
  if (partitions !== options.partitions) {
    problems.push(
      `Topic ${topic} has ${partitions} partitions and ${options.partitions} are configured: their number is fixed for life.`,
    );
  }
  const resources = [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }];
  const [described] = await ask(options, `settings of ${topic}`, admin.describeConfigs({ resources }));
  const actual = new Map(described?.configs.map(({ name, value }) => [name, value]));
  const wanted = settingsOf(names, topic, options);
  for (const name of ['message.timestamp.type', 'cleanup.policy']) {
    if (actual.get(name) !== wanted[name]) {
      problems.push(`Topic ${topic} has ${name} ${actual.get(name)}, and only ${wanted[name]} will do.`);
    }
  }
  const bytesMax = Number(actual.get('max.message.bytes'));
  if (!(bytesMax >= BATCH_BYTES_MAX)) {
    problems.push(`Topic ${topic} has max.message.bytes ${bytesMax}, and at least ${BATCH_BYTES_MAX} are needed.`);
  }
  return problems;
}

async function ask<T>({ brokers }: KafkaConnection, what: string, work: Promise<T>): Promise<T> {
  try {
    return await within(STEP_MS_MAX, what, work);
  } catch (cause) {
    throw new Error(`Kafka at ${brokers.join(', ')} cannot be used (${what}): ${reasonOf(cause).replace(/\.$/, '')}.`, {
      cause,
    });
  }
}
