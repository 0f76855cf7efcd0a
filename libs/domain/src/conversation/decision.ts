import type { ErrorCode } from '@parley/contracts';
import type { ConversationEvent } from './events/conversation-event.js';

/** The place of a record in the log: the only sources of time and of message ids that a decision may use. */
export interface RecordPlace {
  partition: number;
  offset: number;
  /** Milliseconds since the epoch: append time of the log, or the owner's journaled stamp. */
  at: number;
  /** The id that a message of this record gets: made by the partition's clock before deciding. */
  messageId: string;
}

export type Outcome =
  | { kind: 'sent'; messageId: string; seq: number; rev: number; at: number; duplicate: boolean }
  | { kind: 'created'; existed: boolean }
  | { kind: 'changed'; rev: number }
  | { kind: 'settings' }
  | { kind: 'marked'; marks: MarkOutcome[] }
  | { kind: 'refused'; code: ErrorCode; detail: string };

/** Where a member's marks stand after folded receipts were applied. */
export interface MarkOutcome {
  userId: string;
  readSeq: number;
  readMessageId: string | null;
  lastSeq: number;
}

/** What a command comes to: events (none when nothing changes) and the answer for whoever waits. */
export interface Decision {
  events: ConversationEvent[];
  outcome: Outcome;
}

export function refused(code: ErrorCode, detail: string): Decision {
  return { events: [], outcome: { kind: 'refused', code, detail } };
}
