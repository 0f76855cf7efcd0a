import { Admin } from '@platformatic/kafka';
import { clientOptions, closeClient, type KafkaConnection, within } from './kafka-client.js';
import { type KafkaTopicsOptions, problemsOf, topicNames } from './kafka-topics.js';
import { LATEST, TopicReader } from './topic-reader.js';

/** What an operator wants to know of one topic. */
export interface KafkaTopicCondition {
  topic: string;
  partitions: number;
  /** Of the partition that has the fewest. */
  replicas: number;
  /** Partitions that some replica is behind in, or away from. */
  underReplicated: number;
  /** Partitions that nobody leads: nothing is read from them or written to them. */
  leaderless: number;
  /** Settings and numbers with which processes refuse to start, a sentence each. */
  problems: string[];
}

export interface KafkaCondition {
  brokers: number;
  /** Those of the two topics that exist. */
  topics: KafkaTopicCondition[];
}

const STEP_MS_MAX = 5_000;

/** Asks and changes nothing. @throws Error when no broker answers within seconds */
export async function kafkaCondition(options: KafkaTopicsOptions): Promise<KafkaCondition> {
  const admin = new Admin({ ...clientOptions(options), retries: 1, requestTimeout: STEP_MS_MAX });
  try {
    const there = new Set(await within(STEP_MS_MAX, 'topics', admin.listTopics()));
    const names = topicNames(options.topicPrefix);
    const wanted = Object.values(names).filter((topic) => there.has(topic));
    const { brokers, topics } = await within(
      STEP_MS_MAX,
      'condition of the topics',
      admin.metadata({ topics: wanted, forceUpdate: true }),
    );
    const conditions: KafkaTopicCondition[] = [];
    for (const topic of wanted) {
      const partitions = topics.get(topic)?.partitions ?? [];
      const leaderless = partitions.filter(({ leader }) => leader < 0).length;
      conditions.push({
        topic,
        partitions: partitions.length,
        replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
        underReplicated: partitions.filter(({ replicas, isr }) => isr.length < replicas.length).length,
        leaderless,
        // A topic that is not led is waited for before it is looked at.
        problems: leaderless > 0 ? [] : await problemsOf(admin, options, names, topic),
      });
    }
    return { brokers: brokers.size, topics: conditions };
  } finally {
    await closeClient(admin);
  }
}

/** For each partition of the command log the offset that the next record will get. @throws Error within seconds */
export async function commandLogEnds(
  connection: KafkaConnection,
  topicPrefix: string,
  partitions: number,
): Promise<Map<number, number>> {
  const reader = new TopicReader(connection, topicNames(topicPrefix).commands);
  try {
    const asked = new Map(Array.from({ length: partitions }, (_, partition) => [partition, LATEST]));
    const found = await reader.offsetsAt(asked);
    return new Map([...found].map(([partition, { offset }]) => [partition, offset]));
  } finally {
    await reader.close();
  }
}
