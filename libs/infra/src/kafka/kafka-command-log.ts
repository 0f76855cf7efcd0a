import {
  CommandLog,
  type CommandRecord,
  type LogRecord,
  LogTruncated,
  partitionOf,
  type Positions,
} from '@parley/domain';
import { CommandReader } from './command-reader.js';
import { type KafkaConnection, kafkaUnavailable, type OnTrouble, within } from './kafka-client.js';
import { payloadsAt } from './payloads-at.js';
import { type OutgoingRecord, RecordSender } from './record-sender.js';
import { TopicReader } from './topic-reader.js';

export interface KafkaCommandLogOptions extends KafkaConnection {
  /** The topic of the commands, as `openKafkaTopics` made and checked it. */
  topic: string;
  partitions: number;
  /** Bounds of what waits to be sent; more is refused as `overloaded`. */
  waitingRecordsMax?: number;
  waitingBytesMax?: number;
  onTrouble?: OnTrouble;
}

const WAITING_RECORDS_MAX = 20_000;
const WAITING_BYTES_MAX = 32 * 1_048_576;
const LOOK_UP_MS_MAX = 5_000;

/**
 * The command log as a Kafka topic: a record is in it when all in-sync replicas have it.
 *
 * `append` answers within three seconds, whatever the brokers do, and both sides recover by themselves when they are
 * back. A record's time is the broker's, made never to go back (see `latestTimesBefore`). One reader at a time.
 */
export class KafkaCommandLog extends CommandLog {
  override readonly durableAt = 'append';
  override readonly partitions: number;
  private readonly sender: RecordSender;
  private readonly reader: CommandReader;
  /** Beside the reader, whose fetches wait at the brokers for records to come. */
  private readonly lookUp: TopicReader;

  constructor(options: KafkaCommandLogOptions) {
    super();
    const { brokers, clientId, security, topic, partitions, onTrouble } = options;
    const connection = { brokers, clientId, security };
    this.partitions = partitions;
    this.sender = new RecordSender({
      ...connection,
      topic,
      waitingRecordsMax: options.waitingRecordsMax ?? WAITING_RECORDS_MAX,
      waitingBytesMax: options.waitingBytesMax ?? WAITING_BYTES_MAX,
      ...(onTrouble && { onTrouble }),
    });
    this.lookUp = new TopicReader(connection, topic);
    this.reader = new CommandReader(new TopicReader(connection, topic), partitions, onTrouble);
  }

  override append(records: readonly CommandRecord[]): Promise<void> {
    return this.sender.send(records.map((record) => this.outgoing(record)));
  }

  /** Other processes may have read it already. */
  override withdraw(_commandId: string): boolean {
    return false;
  }

  override read(from: Positions, recordsMax: number, waitMs: number): Promise<LogRecord[]> {
    return this.reader.read(from, recordsMax, waitMs);
  }

  override async payloadsAt(places: Positions): Promise<ReadonlyMap<number, string>> {
    const looking = payloadsAt(this.lookUp, places);
    try {
      return await within(LOOK_UP_MS_MAX, 'records', looking);
    } catch (error) {
      if (error instanceof LogTruncated) throw error;
      throw kafkaUnavailable(error);
    }
  }

  /** The topic's retention decides what goes. */
  override committed(_positions: Positions): void {}

  override lag(): number {
    return this.reader.lag();
  }

  override ends(): Positions {
    return this.reader.ends();
  }

  /** Ends within some seconds: what is being sent is waited for, what waits is refused. */
  async close(): Promise<void> {
    await Promise.all([this.sender.close(), this.reader.close(), this.lookUp.close()]);
  }

  private outgoing(record: CommandRecord): OutgoingRecord {
    const { conversationId } = record;
    return {
      partition: partitionOf(conversationId, this.partitions),
      key: Buffer.from(conversationId),
      value: Buffer.from(JSON.stringify(record)),
    };
  }
}
