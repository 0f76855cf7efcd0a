import type { Checkpoint } from '../ports/checkpoint.port.js';
import type { EventStream } from '../ports/event-stream.port.js';
import type { PartitionProgress } from '../ports/partition-leases.port.js';

/** How far back a new owner looks: events that its predecessor committed and may not have broadcast. */
const RECORDS_BEHIND = 500;
const EVENTS_READ_MAX = 2_000;

/** Heads of the conversations that the last records of these partitions changed. */
export async function recentHeads(
  progress: readonly PartitionProgress[],
  stream: EventStream,
  checkpoint: Checkpoint,
): Promise<{ conversationId: string; lastSeq: number; lastRev: number }[]> {
  const conversationIds = new Set<string>();
  for (const { partition, nextOffset } of progress) {
    if (nextOffset === 0) continue;
    const after = { offset: Math.max(-1, nextOffset - RECORDS_BEHIND - 1), index: Number.MAX_SAFE_INTEGER };
    for (const event of await stream.read(partition, after, EVENTS_READ_MAX)) conversationIds.add(event.conversationId);
  }
  if (conversationIds.size === 0) return [];
  const { states } = await checkpoint.load([...conversationIds], []);
  return [...states.values()].flatMap((state) =>
    state ? [{ conversationId: state.conversationId, lastSeq: state.lastSeq, lastRev: state.lastRev }] : [],
  );
}
