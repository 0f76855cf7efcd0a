/**
 * The partition of a conversation: FNV-1a (32 bits) over the lower-case text of its id, modulo the number of partitions.
 * Fixed for life: changing either would send a conversation's next command to another owner.
 */
export function partitionOf(conversationId: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < conversationId.length; i++) {
    hash = Math.imul(hash ^ conversationId.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % partitions;
}
