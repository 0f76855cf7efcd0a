/** Message ids count from here: 2024-01-01T00:00:00Z. */
export const SNOWFLAKE_EPOCH_MS = Date.UTC(2024, 0, 1);
export const PARTITIONS_MAX = 1_024;
const COUNTER_VALUES = 1 << 13;

/**
 * The clock of a partition: the last time and counter that an id was made of. It is kept with the partition's progress,
 * counter included, so that a restart inside one millisecond repeats no id.
 */
export interface PartitionClock {
  ms: number;
  counter: number;
}

/**
 * The clock's next reading for a record with this time: never behind the last one, even when the record's time is.
 * When a millisecond's 8,192 values are used up it borrows from the next one.
 */
export function tick(clock: PartitionClock, at: number): PartitionClock {
  if (at > clock.ms) return { ms: at, counter: 0 };
  if (clock.counter + 1 < COUNTER_VALUES) return { ms: clock.ms, counter: clock.counter + 1 };
  return { ms: clock.ms + 1, counter: 0 };
}

/** 41 bits of milliseconds since 2024, 10 bits of partition, 13 bits of counter, as a decimal string. */
export function snowflake(partition: number, clock: PartitionClock): string {
  const ms = clock.ms - SNOWFLAKE_EPOCH_MS;
  // Below 2^53 neither half loses a bit; BigInt joins them.
  return ((BigInt(ms) << 23n) | BigInt(partition * COUNTER_VALUES + clock.counter)).toString();
}
