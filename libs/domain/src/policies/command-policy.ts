import type { ErrorCode } from '@parley/contracts';
import type { Actor } from '../actor.js';
import type { ConversationCommand } from '../conversation/commands/conversation-command.js';
import type { MaybePromise } from '../journal/maybe-promise.js';

/**
 * What policies are asked about. Delivery and read marks are facts that doors gather for many users at once: no policy
 * sees them.
 */
export type ReviewedCommand = Exclude<ConversationCommand, { type: 'advance-marks' }>;

/** What a policy makes of a command: it passes as it is, goes on in another form, or is refused. */
export type Verdict =
  'pass' | { change: ConversationCommand } | { refuse: { code: ErrorCode; detail: string; retryAfterMs?: number } };

/**
 * A rule of your own that sees commands before they are journaled: a word filter, a quota.
 *
 * It runs after authorisation and rate limits, once for each submission, in the order in which policies were added. A
 * policy that answers at once costs no more than its own work; one that answers with a promise holds back the later
 * commands of the same socket, which keep their order. What it throws that is not a DomainError is a bug: `internal`.
 * Without an answer within the command's wait (`SEND_WAIT_MS`) the command is refused as `store_unavailable`.
 */
export abstract class CommandPolicy {
  /** For logs and messages of errors. */
  abstract readonly name: string;
  /** The commands that it wants to see; all of them when it is left out. */
  readonly appliesTo?: readonly ReviewedCommand['type'][];

  abstract review(actor: Actor, conversationId: string, command: ConversationCommand): MaybePromise<Verdict>;
}
