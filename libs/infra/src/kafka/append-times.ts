import { LATEST_TIME, type TopicReader } from './topic-reader.js';

/** Where somebody begins to read a partition, and the time of the record there. */
export interface ReadingStart {
  offset: number;
  at: number;
}

/**
 * The latest time before those offsets: 0 when none before is later than the record at the offset.
 *
 * A broker stamps records by its own clock, and that may step back (or leadership moves to a broker whose clock is
 * behind). The times that a log shows must not, and a record must have the same time whoever reads it, from wherever
 * he begins: so each counts as appended at the latest time up to it, and a reader that begins in the middle asks the
 * broker's index for the first record that is later. As a rule there is none before its own, and that is all.
 */
export async function latestTimesBefore(
  reader: TopicReader,
  starts: ReadonlyMap<number, ReadingStart>,
): Promise<Map<number, number>> {
  const later = await reader.offsetsAt(new Map([...starts].map(([partition, { at }]) => [partition, at + 1])));
  const latest = new Map<number, number>();
  for (const [partition, { offset }] of starts) {
    const found = later.get(partition);
    if (!found || found.offset < 0 || found.offset >= offset) latest.set(partition, 0);
    else latest.set(partition, await latestTimeBefore(reader, partition, offset, found.timestamp));
  }
  return latest;
}

/** By halving: "is the first record of this time or later before the offset?" is true up to the time that is sought. */
async function latestTimeBefore(
  reader: TopicReader,
  partition: number,
  offset: number,
  atLeast: number,
): Promise<number> {
  let low = atLeast;
  let high = (await reader.offsetAt(partition, LATEST_TIME)).timestamp;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const found = await reader.offsetAt(partition, middle);
    if (found.offset >= 0 && found.offset < offset) low = Math.max(middle, found.timestamp);
    else high = middle - 1;
  }
  return low;
}
