import type { ConversationCommand } from './conversation-command.js';

export const COMMAND_RECORD_VERSION = 1;

/** Where a command came from: its socket does not hear its own message, its process waits for the answer. */
export interface CommandOrigin {
  /** Address of the waiting process for the reply port. */
  processId: string;
  /** The socket, or null when it came over REST. */
  connectionId: string | null;
}

/** One entry of the command log. */
export interface CommandRecord {
  version: typeof COMMAND_RECORD_VERSION;
  /** Unique for each submission; the reply carries it. */
  commandId: string;
  conversationId: string;
  /** The user who asks; empty for folded receipts, whose marks name their users. */
  actorId: string;
  origin: CommandOrigin;
  command: ConversationCommand;
  /** Milliseconds since the epoch at the command's side, for measuring delivery latency only; nothing is decided by it. */
  submittedAt: number;
}
