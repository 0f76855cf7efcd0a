import type { Outcome } from '../conversation/decision.js';

export interface Reply {
  commandId: string;
  outcome: Outcome;
}

/** Brings the outcome of a command back to the process that waits for it. May lose; the waiting side has a time-out. */
export abstract class Replies {
  /** This process's address, for `CommandOrigin.processId`. */
  abstract readonly processId: string;
  /**
   * Resolves with the outcome, or with null after `timeoutMs`. Register before the command is appended. An outcome that
   * comes after that goes to `onLate`, if it comes within ten minutes.
   */
  abstract expect(commandId: string, timeoutMs: number, onLate?: (outcome: Outcome) => void): Promise<Outcome | null>;
  /** Ends an expectation that nobody needs any more: it resolves with null, and nothing comes late. */
  abstract cancel(commandId: string): void;
  /** Never rejects. Replies for commands that nobody expects are dropped; false says so where it is known. */
  abstract send(processId: string, replies: readonly Reply[]): void;
}
