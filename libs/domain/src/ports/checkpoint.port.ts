import type { ConversationState, MaybeConversation, MemberState } from '../conversation/conversation.state.js';
import type { Mark } from '../conversation/commands/conversation-command.js';
import type { PartitionProgress } from './partition-leases.port.js';

/** The move of one partition in a batch: from `expectedOffset`, under `epoch`, to `nextOffset`. */
export interface PartitionAdvance extends PartitionProgress {
  expectedOffset: number;
}

export interface MemberRow {
  conversationId: string;
  member: MemberState;
  /** Set when the member left or was removed: the row stays as a tombstone, so that `sync` can tell. */
  removedAt: number | null;
}

/** Marks of one conversation that moved at one time: what `deliveredAt` and `readAt` are answered from. */
export interface ReceiptAdvance {
  conversationId: string;
  at: number;
  marks: { userId: string; delivered?: Mark; read?: Mark }[];
}

export interface DeadLetter {
  partition: number;
  offset: number;
  at: number;
  payload: string;
  reason: string;
}

/** A message carries a medium: those who may see the one may see the other. */
export interface MediaUse {
  conversationId: string;
  messageId: string;
  seq: number;
  mediaId: string;
  /** Set when the message was deleted. */
  removedAt: number | null;
}

export interface CheckpointWrite {
  partitions: PartitionAdvance[];
  conversations: ConversationState[];
  members: MemberRow[];
  receipts: ReceiptAdvance[];
  deadLetters: DeadLetter[];
  /** Missing where no message of the batch has media, as most have none. */
  mediaUses?: MediaUse[];
}

/** `fenced`: another owner has moved the partition; nothing of the batch was written. */
export type CheckpointResult = 'committed' | 'fenced';

/**
 * Read models, conversation state and progress, in ONE transaction: the point from which a batch is final.
 */
export abstract class Checkpoint {
  /** @throws DataRefused when nothing was written, and nothing of it ever can be */
  abstract commit(write: CheckpointWrite): Promise<CheckpointResult>;
  /**
   * States of these conversations in one snapshot together with the progress of the partitions. `fenced` are those whose
   * progress is not the expected one: a paused former owner would otherwise load a future state.
   */
  abstract load(
    conversationIds: readonly string[],
    expected: readonly PartitionProgress[],
  ): Promise<{ fenced: readonly number[]; states: Map<string, MaybeConversation> }>;
  /** Locks and reads the progress: after a commit whose end is unknown it tells whether the batch is in. */
  abstract progress(partitions: readonly number[]): Promise<PartitionProgress[]>;
}
