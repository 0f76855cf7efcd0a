import type { StreamedEvent, StreamPosition } from '@parley/domain';
import type { OutgoingRecord } from './record-sender.js';
import type { FetchedRecord } from './topic-reader.js';

/** Header of an event's place, `<offset>:<index>`. */
const PLACE = Buffer.from('place');

/** An event as it stands in the topic: its conversation is the key, its time that of the record. */
export function eventRecord({ partition, offset, index, conversationId, at, payload }: StreamedEvent): OutgoingRecord {
  return {
    partition,
    key: Buffer.from(conversationId),
    value: Buffer.from(payload),
    headers: new Map([[PLACE, Buffer.from(`${offset}:${index}`)]]),
    timestamp: BigInt(at),
  };
}

/** Null for what is no event: a record that somebody else put there has no place among them. */
export function streamedEvent(partition: number, { key, value, headers, at }: FetchedRecord): StreamedEvent | null {
  const place = headers.find(([name]) => name?.equals(PLACE))?.[1]?.toString();
  const found = /^(\d{1,16}):(\d{1,9})$/.exec(place ?? '');
  if (!found || !key || !value) return null;
  return {
    partition,
    offset: Number(found[1]),
    index: Number(found[2]),
    conversationId: key.toString(),
    at,
    payload: value.toString(),
  };
}

export function isAfter(place: StreamPosition, other: StreamPosition | null): boolean {
  if (!other) return true;
  return place.offset > other.offset || (place.offset === other.offset && place.index > other.index);
}
