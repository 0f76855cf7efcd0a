import { EventStream, type StreamedEvent, type StreamPosition } from '@parley/domain';
import { LRUCache } from 'lru-cache';
import { type KafkaConnection, kafkaUnavailable, type OnTrouble, within } from './kafka-client.js';
import { GROUP_BYTES_MAX, type OutgoingRecord, RecordSender, SEND_RECORDS_MAX } from './record-sender.js';
import { eventRecord, isAfter, streamedEvent } from './stream-records.js';
import { EARLIEST, type FetchedPartition, LATEST, OFFSET_OUT_OF_RANGE, TopicReader } from './topic-reader.js';

export interface KafkaEventStreamOptions extends KafkaConnection {
  /** The topic of the events, as `openKafkaTopics` made and checked it. */
  topic: string;
  onTrouble?: OnTrouble;
}

/** What one call of `append` brings is divided into sends of this size. */
const APPEND_BYTES_MAX = GROUP_BYTES_MAX / 3;
const WAITING_RECORDS_MAX = 200_000;
const WAITING_BYTES_MAX = 64 * 1_048_576;
const FETCH_BYTES_MAX = 1_048_576;
/** Enough for one record in most cases; one batch is answered in any case. */
const PROBE_BYTES_MAX = 4_096;
/** Places whose offset is remembered: a few readers of each of 1,024 partitions. */
const PLACES_REMEMBERED_MAX = 8_192;
/** Reading on from so many records before a place is cheaper than finding it exactly. */
const NEAR_RECORDS = 256;
/** A whole reading, of which each step has a time of its own. */
const READ_MS_MAX = 10_000;
const LEADER_TRIES = 5;
const LEADER_PAUSE_MS = 200;

/**
 * The event stream as a Kafka topic, partitioned as the commands are.
 *
 * An append that is repeated after a crash puts its events into the topic once more, so a reader takes an event only
 * when its place is behind all places before it: whoever appends goes on in order, or begins again at an earlier place.
 * A place is found by its time. The events' times are those of their commands and never go back, so the first record
 * of the time of a place, or of any earlier one, stands before everything that is behind the place.
 */
export class KafkaEventStream extends EventStream {
  private readonly sender: RecordSender;
  private readonly reader: TopicReader;
  private readonly offsets = new LRUCache<string, number>({ max: PLACES_REMEMBERED_MAX });

  constructor(options: KafkaEventStreamOptions) {
    super();
    const { brokers, clientId, security, topic } = options;
    const bounds = { waitingRecordsMax: WAITING_RECORDS_MAX, waitingBytesMax: WAITING_BYTES_MAX };
    this.sender = new RecordSender({ ...bounds, ...options });
    this.reader = new TopicReader({ brokers, clientId, security }, topic);
  }

  /** @throws DomainError `store_unavailable`, `overloaded`: append the same events again, from the first */
  override async append(events: readonly StreamedEvent[]): Promise<void> {
    let records: OutgoingRecord[] = [];
    let bytes = 0;
    for (const event of events) {
      const record = eventRecord(event);
      if (records.length >= SEND_RECORDS_MAX || bytes + record.value.length > APPEND_BYTES_MAX) {
        await this.sender.send(records);
        records = [];
        bytes = 0;
      }
      records.push(record);
      bytes += record.value.length;
    }
    await this.sender.send(records);
  }

  /** @throws DomainError `store_unavailable` */
  override async read(partition: number, after: StreamPosition | null, limit: number): Promise<StreamedEvent[]> {
    const reading = this.readAfter(partition, after, limit);
    try {
      return await within(READ_MS_MAX, 'events', reading);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      // What is remembered may be gone: the next reading finds its place anew.
      if (after) this.offsets.delete(placeKey(partition, after));
      throw kafkaUnavailable(error);
    }
  }

  /** Ends within some seconds: what is being sent is waited for, what waits is refused. */
  async close(): Promise<void> {
    await Promise.all([this.sender.close(), this.reader.close()]);
  }

  private async readAfter(partition: number, after: StreamPosition | null, limit: number): Promise<StreamedEvent[]> {
    await this.checkPartition(partition);
    const remembered = after && this.offsets.get(placeKey(partition, after));
    return this.readFrom(partition, after, limit, remembered ?? (await this.offsetBehind(partition, after)));
  }

  private async readFrom(
    partition: number,
    after: StreamPosition | null,
    limit: number,
    from: number,
  ): Promise<StreamedEvent[]> {
    const events: StreamedEvent[] = [];
    let last = after;
    for (let offset = from; ;) {
      const { records, highWatermark } = await this.fetch(partition, offset, FETCH_BYTES_MAX);
      const before = offset;
      for (const record of records) {
        if (record.offset < offset) continue;
        if (events.length >= limit) return this.remember(partition, last, offset, events);
        offset = record.offset + 1;
        const event = streamedEvent(partition, record);
        if (!event || !isAfter(event, last)) continue;
        events.push(event);
        last = event;
      }
      if (offset >= highWatermark || offset === before) return this.remember(partition, last, offset, events);
    }
  }

  private remember(
    partition: number,
    last: StreamPosition | null,
    offset: number,
    events: StreamedEvent[],
  ): StreamedEvent[] {
    if (last) this.offsets.set(placeKey(partition, last), offset);
    return events;
  }

  /** An offset before everything that is behind the place, and as near as can be found at little cost. */
  private async offsetBehind(partition: number, after: StreamPosition | null): Promise<number> {
    const { offset: start } = await this.reader.offsetAt(partition, EARLIEST);
    if (!after) return start;
    const { offset: end } = await this.reader.offsetAt(partition, LATEST);
    const time = await this.timeBefore(partition, after, start, end);
    if (time === null) return start;
    const { offset } = await this.reader.offsetAt(partition, time);
    return offset < 0 ? start : offset;
  }

  /** The time of a record whose place is not behind `after`: from the end backwards, then by halving. */
  private async timeBefore(
    partition: number,
    after: StreamPosition,
    start: number,
    end: number,
  ): Promise<number | null> {
    let time: number | null = null;
    let [low, high] = [start, end];
    for (let step = NEAR_RECORDS; high > start; step *= 4) {
      low = Math.max(start, end - step);
      time = await this.timeIfNotBehind(partition, low, after);
      if (time !== null || low === start) break;
      high = low;
    }
    while (time !== null && high - low > NEAR_RECORDS) {
      const middle = Math.floor((low + high) / 2);
      const found = await this.timeIfNotBehind(partition, middle, after);
      if (found === null) {
        high = middle;
      } else {
        low = middle;
        time = found;
      }
    }
    return time;
  }

  private async timeIfNotBehind(partition: number, offset: number, after: StreamPosition): Promise<number | null> {
    const { records } = await this.fetch(partition, offset, PROBE_BYTES_MAX);
    for (const record of records) {
      const event = record.offset >= offset && streamedEvent(partition, record);
      if (event) return isAfter(event, after) ? null : event.at;
    }
    return null;
  }

  /** Leaders move; others are asked where to. */
  private async fetch(partition: number, offset: number, bytesMax: number): Promise<FetchedPartition> {
    const bounds = { waitMs: 0, bytesMax, bytesPerPartitionMax: bytesMax };
    for (let tries = 1; ; tries += 1) {
      try {
        const leader = (await this.reader.findLeaders())[partition] as number;
        const [answer] = await this.reader.fetch(leader, [{ partition, offset }], bounds);
        // A broker leaves out of its answer what has nothing new.
        if (!answer) return { partition, errorCode: 0, highWatermark: offset, startOffset: 0, records: [] };
        if (answer.errorCode === 0) return answer;
        if (answer.errorCode === OFFSET_OUT_OF_RANGE) tries = LEADER_TRIES;
        throw new Error(`partition ${partition} answered with error ${answer.errorCode}`);
      } catch (error) {
        if (tries >= LEADER_TRIES) throw error;
        this.reader.forgetLeaders();
        await new Promise((resolve) => setTimeout(resolve, LEADER_PAUSE_MS));
      }
    }
  }

  private async checkPartition(partition: number): Promise<void> {
    const { length } = await this.reader.findLeaders();
    if (!(partition >= 0 && partition < length))
      throw new RangeError(`partition ${partition} of a stream with ${length}`);
  }
}

function placeKey(partition: number, { offset, index }: StreamPosition): string {
  return `${partition}:${offset}:${index}`;
}
