import { LogTruncated, type Positions } from '@parley/domain';
import { EARLIEST, type FetchBounds, LATEST, type TopicReader, type WantedPartition } from './topic-reader.js';

const BYTES_PER_PARTITION_MAX = 4_096;
/** One batch of each partition is answered whatever its size, if there is room for it: those left out are asked again. */
const BOUNDS: FetchBounds = { waitMs: 0, bytesMax: 16 * 1_048_576, bytesPerPartitionMax: BYTES_PER_PARTITION_MAX };

/**
 * The payload at one offset of each of these partitions, without those that the retention has removed.
 * @throws LogTruncated when an offset is at the end of its partition, or behind it
 */
export async function payloadsAt(reader: TopicReader, places: Positions): Promise<Map<number, string>> {
  const timesOf = (time: number): Map<number, number> => new Map([...places.keys()].map((p) => [p, time]));
  const starts = await reader.offsetsAt(timesOf(EARLIEST));
  const ends = await reader.offsetsAt(timesOf(LATEST));
  const kept: WantedPartition[] = [];
  for (const [partition, offset] of places) {
    const start = starts.get(partition)?.offset ?? 0;
    const end = ends.get(partition)?.offset ?? 0;
    if (offset >= end) throw new LogTruncated(partition, offset, { start, end });
    if (offset >= start) kept.push({ partition, offset });
  }
  const payloads = new Map<number, string>();
  reader.forgetLeaders();
  const leaders = await reader.findLeaders();
  for (const [leader, wanted] of Map.groupBy(kept, ({ partition }) => leaders[partition] ?? -1)) {
    for (let missing = wanted; missing.length > 0;) {
      await fetchPayloads(reader, leader, missing, payloads);
      const rest = missing.filter(({ partition }) => !payloads.has(partition));
      if (rest.length === missing.length) throw new Error(`no records of ${rest.length} partitions`);
      missing = rest;
    }
  }
  return payloads;
}

async function fetchPayloads(
  reader: TopicReader,
  leader: number,
  wanted: readonly WantedPartition[],
  payloads: Map<number, string>,
): Promise<void> {
  const offsets = new Map(wanted.map(({ partition, offset }) => [partition, offset]));
  for (const { partition, records } of await reader.fetch(leader, wanted, BOUNDS)) {
    const record = records.find(({ offset }) => offset === offsets.get(partition));
    if (record) payloads.set(partition, record.isControl || !record.value ? '' : record.value.toString());
  }
}
