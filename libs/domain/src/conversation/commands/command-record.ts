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

/**
 * Reads a record as it stands in a log: null for what no owner could decide or answer (not JSON, another version,
 * another shape). What is wrong inside the command itself shows when it is decided.
 */
export function parseCommandRecord(payload: string): CommandRecord | null {
  let record: Partial<CommandRecord> | null;
  try {
    record = JSON.parse(payload) as Partial<CommandRecord> | null;
  } catch {
    return null;
  }
  if (record?.version !== COMMAND_RECORD_VERSION) return null;
  const { commandId, conversationId, actorId, origin, command } = record;
  const named = [commandId, conversationId, actorId, origin?.processId, command?.type].every(
    (value) => typeof value === 'string',
  );
  return named ? (record as CommandRecord) : null;
}
