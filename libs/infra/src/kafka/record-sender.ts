import { DomainError } from '@parley/domain';
import { type MessageToProduce, Producer } from '@platformatic/kafka';
import {
  clientOptions,
  closeClient,
  type KafkaConnection,
  kafkaUnavailable,
  type OnTrouble,
  within,
} from './kafka-client.js';

/** One record on its way to a topic. */
export interface OutgoingRecord {
  partition: number;
  key: Buffer;
  value: Buffer;
  headers?: Map<Buffer, Buffer>;
  /** Milliseconds since the epoch, for a topic that keeps the sender's time. */
  timestamp?: bigint;
}

export interface RecordSenderOptions extends KafkaConnection {
  topic: string;
  /** Bounds of what waits for the send under way to end; beyond them `send` is refused as `overloaded`. */
  waitingRecordsMax: number;
  waitingBytesMax: number;
  /** After so many records a producer is replaced by a new one: it numbers the records of a partition by 31 bits. */
  producerRecordsMax?: number;
  onTrouble?: OnTrouble;
}

/** What one send to the brokers holds at most, unless a single call of `send` brings more. */
export const SEND_RECORDS_MAX = 2_000;
export const SEND_BYTES_MAX = 1_048_576;
/** One call of `send` brings no more: what a partition gets of it is one batch, and the topic bounds the bytes of a batch. */
export const GROUP_BYTES_MAX = 3_145_728;
/** A send ends within this time, or counts as failed; the one behind it waits for no longer than `QUEUE_MS_MAX`. */
export const SEND_MS_MAX = 1_700;
export const QUEUE_MS_MAX = 900;

const PRODUCER_RECORDS_MAX = 1_000_000_000;
const RETRY_PAUSE_MS = 100;
const BACKOFF_MS = { first: 100, longest: 1_000 };
const OVERLOADED_RETRY_AFTER_MS = 500;
/** Bytes that a record takes besides its parts, estimated. */
const RECORD_OVERHEAD_BYTES = 32;

interface Group {
  records: readonly OutgoingRecord[];
  bytes: number;
  queuedAt: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

/**
 * Sends records to a topic: acknowledged by all in-sync replicas, idempotent, one send under way at a time; what comes
 * meanwhile gathers into the next one. The library keeps the order of records only in this way (with concurrent sends,
 * 231 keys were reordered at the kill of a broker).
 *
 * A send that fails is repeated with the same sequence numbers while its time lasts. After that its records may be in the
 * topic or not: the producer is replaced by a new one, since what its connection still holds cannot be taken back.
 */
export class RecordSender {
  private waiting: Group[] = [];
  private waitingRecords = 0;
  private waitingBytes = 0;
  private producer: Producer | null = null;
  private producerRecords = 0;
  private producersOpened = 0;
  private pumping: Promise<void> | null = null;
  private expiry: NodeJS.Timeout | null = null;
  private endPause: (() => void) | null = null;
  private closed = false;

  constructor(private readonly options: RecordSenderOptions) {}

  /**
   * Resolves when the records are in the topic, in their order within a partition; within three seconds in any case.
   * @throws DomainError `overloaded`, `payload_too_large`, or `store_unavailable` (they may be in the topic all the same)
   */
  send(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.closed) return Promise.reject(kafkaUnavailable(new Error('closed')));
    const bytes = bytesOf(records);
    if (bytes > GROUP_BYTES_MAX) {
      const detail = `${bytes} bytes are more than the ${GROUP_BYTES_MAX} that are journaled at once`;
      return Promise.reject(new DomainError('payload_too_large', detail));
    }
    const { waitingRecordsMax, waitingBytesMax } = this.options;
    if (this.waitingRecords + records.length > waitingRecordsMax || this.waitingBytes + bytes > waitingBytesMax) {
      const details = { retryAfterMs: OVERLOADED_RETRY_AFTER_MS };
      return Promise.reject(new DomainError('overloaded', 'Too many records are waiting for the log', details));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ records, bytes, queuedAt: performance.now(), resolve, reject });
      this.waitingRecords += records.length;
      this.waitingBytes += bytes;
      this.armExpiry();
      this.pumping ??= this.pump();
    });
  }

  /** Ends within a few seconds: what waits is refused, what is under way is waited for. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.expiry) clearTimeout(this.expiry);
    for (const group of this.take(this.waiting.length)) group.reject(kafkaUnavailable(new Error('closed')));
    this.endPause?.();
    await this.pumping;
    await closeClient(this.producer);
    this.producer = null;
  }

  private async pump(): Promise<void> {
    let pauseMs = BACKOFF_MS.first;
    // What the present turn of the event loop brings goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const groups = this.takeBatch();
      try {
        await this.produce(groups);
        for (const group of groups) group.resolve();
        pauseMs = BACKOFF_MS.first;
      } catch (error) {
        this.options.onTrouble?.(`records not sent to ${this.options.topic}`, error);
        for (const group of groups) group.reject(kafkaUnavailable(error));
        this.dropProducer();
        await this.pause(pauseMs);
        pauseMs = Math.min(pauseMs * 2, BACKOFF_MS.longest);
      }
    }
    this.pumping = null;
  }

  private async produce(groups: readonly Group[]): Promise<void> {
    const { topic, producerRecordsMax } = this.options;
    if (this.producerRecords >= (producerRecordsMax ?? PRODUCER_RECORDS_MAX)) this.dropProducer();
    this.producer ??= this.openProducer();
    const messages: MessageToProduce[] = [];
    for (const { records } of groups) for (const record of records) messages.push({ topic, ...record });
    this.producerRecords += messages.length;
    await within(SEND_MS_MAX, `${messages.length} records for ${topic}`, this.producer.send({ messages }));
  }

  private dropProducer(): void {
    void closeClient(this.producer);
    this.producer = null;
    this.producerRecords = 0;
  }

  private openProducer(): Producer {
    const turn = this.producersOpened;
    this.producersOpened += 1;
    return new Producer({
      ...clientOptions(this.options, turn),
      idempotent: true,
      timeout: SEND_MS_MAX,
      requestTimeout: SEND_MS_MAX,
      retries: Math.ceil(SEND_MS_MAX / RETRY_PAUSE_MS),
      retryDelay: RETRY_PAUSE_MS,
    });
  }

  private takeBatch(): Group[] {
    let [groups, records, bytes] = [0, 0, 0];
    for (const group of this.waiting) {
      records += group.records.length;
      bytes += group.bytes;
      if (groups > 0 && (records > SEND_RECORDS_MAX || bytes > SEND_BYTES_MAX)) break;
      groups += 1;
    }
    return this.take(groups);
  }

  private take(groups: number): Group[] {
    const taken = this.waiting.splice(0, groups);
    for (const { records, bytes } of taken) {
      this.waitingRecords -= records.length;
      this.waitingBytes -= bytes;
    }
    return taken;
  }

  /** What has waited too long is answered, so that waiting and sending together stay within three seconds. */
  private armExpiry(): void {
    const [oldest] = this.waiting;
    if (this.expiry || !oldest) return;
    this.expiry = setTimeout(
      () => {
        this.expiry = null;
        const until = performance.now() - QUEUE_MS_MAX;
        const alive = this.waiting.findIndex(({ queuedAt }) => queuedAt > until);
        const error = new Error(`the sends before took longer than ${QUEUE_MS_MAX} ms`);
        for (const group of this.take(alive < 0 ? this.waiting.length : alive)) group.reject(kafkaUnavailable(error));
        this.armExpiry();
      },
      Math.max(1, oldest.queuedAt + QUEUE_MS_MAX - performance.now()),
    );
  }

  private pause(ms: number): Promise<void> {
    if (this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function bytesOf(records: readonly OutgoingRecord[]): number {
  let bytes = 0;
  for (const { key, value, headers } of records) {
    bytes += key.length + value.length + RECORD_OVERHEAD_BYTES;
    if (headers) for (const [name, content] of headers) bytes += name.length + content.length;
  }
  return bytes;
}
