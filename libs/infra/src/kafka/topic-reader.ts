import { Admin, Consumer, type RecordsBatch, ResponseError } from '@platformatic/kafka';
import { clientOptions, closeClient, type KafkaConnection, within } from './kafka-client.js';

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>;

export interface FetchedRecord {
  offset: number;
  /** Milliseconds since the epoch: the broker's time of appending, or the sender's, as the topic is set. */
  at: number;
  value: Buffer | null;
  key: Buffer | null;
  headers: readonly [Buffer | null, Buffer | null][];
  /** Written by the broker for somebody's transaction: it takes an offset and says nothing. */
  isControl: boolean;
}

export interface FetchedPartition {
  partition: number;
  /** Kafka's code, 0 when all is well. */
  errorCode: number;
  /** Offset behind the last record that can be read. */
  highWatermark: number;
  startOffset: number;
  /** Begin at or before the offset that was asked for: whole batches are answered. */
  records: FetchedRecord[];
}

export interface WantedPartition {
  partition: number;
  offset: number;
}

export interface FetchBounds {
  /** How long the broker waits for the first record. */
  waitMs: number;
  /** Of all partitions; one batch is answered in any case. */
  bytesMax: number;
  bytesPerPartitionMax: number;
}

export interface TimedOffset {
  offset: number;
  /** Of the record at that offset; −1 when there is none. */
  timestamp: number;
}

export const OFFSET_OUT_OF_RANGE = 1;
/** Instead of a time: the first offset, the one behind the last, the one of the latest time. */
export const EARLIEST = -2;
export const LATEST = -1;
export const LATEST_TIME = -3;

const ANSWER_MS_MAX = 2_000;
const LOG_APPEND_TIME = 1 << 3;
const CONTROL_BATCH = 1 << 5;

/**
 * Reads partitions of a topic by offset, without a consumer group: who reads what is settled elsewhere.
 *
 * Every call ends within its wait and some seconds, and rejects when the broker does not answer. A connection answers
 * in order, so a fetch that waits for records keeps those behind it waiting; offsets are asked for over another one.
 */
export class TopicReader {
  private consumer: Consumer | null = null;
  private admin: Admin | null = null;
  private topicId = '';
  /** The end of the last fetch from each broker: one at a time, since the broker numbers the fetches of a session. */
  private readonly turns = new Map<number, Promise<unknown>>();
  private leaders: readonly number[] | null = null;
  private turn = 0;

  constructor(
    private readonly connection: KafkaConnection,
    readonly topic: string,
  ) {}

  /** The brokers that lead the partitions, as far as they are known. */
  knownLeaders(): readonly number[] | null {
    return this.leaders;
  }

  /** They are asked for again: an answer showed that they have changed, or none came. */
  forgetLeaders(): void {
    this.leaders = null;
  }

  async findLeaders(): Promise<readonly number[]> {
    if (this.leaders) return this.leaders;
    const asked = this.openConsumer().metadata({ topics: [this.topic], forceUpdate: true });
    const { topics } = await this.answer('leaders', 0, asked);
    const found = topics.get(this.topic);
    if (!found) throw new Error(`there is no topic ${this.topic}`);
    this.topicId = found.id;
    this.leaders = found.partitions.map(({ leader }) => leader);
    return this.leaders;
  }

  /**
   * Fetches from one broker, which leads all these partitions. A partition without anything new may be missing from the
   * answer. Fetches from the same broker wait for one another.
   */
  async fetch(node: number, wanted: readonly WantedPartition[], bounds: FetchBounds): Promise<FetchedPartition[]> {
    const partitions = wanted.map(({ partition, offset }) => ({
      partition,
      fetchOffset: BigInt(offset),
      partitionMaxBytes: bounds.bytesPerPartitionMax,
      currentLeaderEpoch: -1,
      lastFetchedEpoch: -1,
    }));
    const before = this.turns.get(node);
    const turn = (async () => {
      await before?.catch(() => {});
      const fetching = this.openConsumer().fetch({
        node,
        topics: [{ topicId: this.topicId, partitions }],
        maxWaitTime: bounds.waitMs,
        minBytes: 1,
        maxBytes: bounds.bytesMax,
      });
      return this.answer('records', bounds.waitMs, fetching.catch(responseOf));
    })();
    this.turns.set(node, turn);
    return fetchedPartitions(await turn);
  }

  /** The first offset whose record is of that time or later, for each partition; −1 when there is none. */
  async offsetsAt(times: ReadonlyMap<number, number>): Promise<Map<number, TimedOffset>> {
    const partitions = [...times].map(([partition, time]) => ({
      partitionIndex: partition,
      timestamp: BigInt(time),
    }));
    this.admin ??= new Admin({
      ...clientOptions(this.connection, this.turn),
      retries: 0,
      requestTimeout: ANSWER_MS_MAX,
    });
    const asked = this.admin.listOffsets({ topics: [{ name: this.topic, partitions }] });
    const found = new Map<number, TimedOffset>();
    for (const { partitions: listed } of await this.answer('offsets', 0, asked)) {
      for (const { partitionIndex, offset, timestamp } of listed) {
        found.set(partitionIndex, { offset: Number(offset), timestamp: Number(timestamp) });
      }
    }
    return found;
  }

  /** The same for one partition. */
  async offsetAt(partition: number, time: number): Promise<TimedOffset> {
    const found = (await this.offsetsAt(new Map([[partition, time]]))).get(partition);
    if (!found) throw new Error(`no offset for partition ${partition} of ${this.topic}`);
    return found;
  }

  async close(): Promise<void> {
    const { consumer, admin } = this;
    this.consumer = this.admin = null;
    await Promise.all([closeClient(consumer), closeClient(admin)]);
  }

  private openConsumer(): Consumer {
    this.consumer ??= new Consumer({
      ...clientOptions(this.connection, this.turn),
      // Required by the library, and never joined.
      groupId: this.connection.clientId,
      retries: 0,
      requestTimeout: ANSWER_MS_MAX,
    });
    return this.consumer;
  }

  /** Clients whose broker did not answer are replaced by new ones, which begin with another broker. */
  private async answer<T>(what: string, waitMs: number, work: Promise<T>): Promise<T> {
    try {
      return await within(waitMs + ANSWER_MS_MAX, `${what} of ${this.topic}`, work);
    } catch (error) {
      if (!(error instanceof ResponseError)) {
        const { consumer, admin } = this;
        this.consumer = this.admin = null;
        this.turn += 1;
        void closeClient(consumer);
        void closeClient(admin);
      }
      throw error;
    }
  }
}

/** An answer in which one partition has an error is thrown by the library; the others in it are good. */
function responseOf(error: unknown): FetchResponse {
  const { response } = error as { response?: FetchResponse };
  if (error instanceof ResponseError && response && response.errorCode === 0) return response;
  throw error;
}

function fetchedPartitions(response: FetchResponse): FetchedPartition[] {
  return response.responses.flatMap(({ partitions }) =>
    partitions.map(({ partitionIndex, errorCode, highWatermark, logStartOffset, records }) => ({
      partition: partitionIndex,
      errorCode,
      highWatermark: Number(highWatermark),
      startOffset: Number(logStartOffset),
      records: (records ?? []).flatMap(recordsOf),
    })),
  );
}

function recordsOf(batch: RecordsBatch): FetchedRecord[] {
  const first = Number(batch.firstOffset);
  const isControl = (batch.attributes & CONTROL_BATCH) !== 0;
  const stampedByBroker = (batch.attributes & LOG_APPEND_TIME) !== 0;
  return batch.records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
    offset: first + offsetDelta,
    at: Number(stampedByBroker ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta),
    key,
    value,
    headers,
    isControl,
  }));
}
