import type { RateLimit } from '../ports/rate-limiter.port.js';

/** What the commands' side bounds, as configured. Type and DI token in one. */
export abstract class DomainLimits {
  /** Sends of one user in one conversation. */
  abstract readonly sendsPerUserInConversation: RateLimit;
  /** Sends of one user; its edits, deletions and reactions together may be as many, on a count of their own. */
  abstract readonly sendsPerUser: RateLimit;
  /** Sends of all members in one conversation; edits, deletions and reactions likewise. */
  abstract readonly sendsPerConversation: RateLimit;
  abstract readonly groupMembersMax: number;
  /** How long a command waits for its outcome before it is answered otherwise. */
  abstract readonly sendWaitMs: number;
  /** Commands of this process that wait for their outcome at once; more are refused as `overloaded`. */
  abstract readonly commandsInFlightMax: number;
  /** Marks are gathered for so long before they are journaled. */
  abstract readonly receiptWindowMs: number;
  /**
   * How long it is remembered whether one user has blocked another. Changes made in this process are noticed at once,
   * so this bounds only how late a change made in another process is.
   */
  abstract readonly blockStateMs: number;
}

export const DOMAIN_LIMITS_DEFAULT = {
  sendsPerUserInConversation: { limit: 30, windowMs: 10_000 },
  sendsPerUser: { limit: 120, windowMs: 60_000 },
  sendsPerConversation: { limit: 50, windowMs: 1_000 },
  groupMembersMax: 1_000,
  sendWaitMs: 5_000,
  commandsInFlightMax: 20_000,
  receiptWindowMs: 200,
  blockStateMs: 10_000,
} satisfies DomainLimits;

/** Different emojis on one message. */
export const EMOJIS_PER_MESSAGE_MAX = 50;
/** Reactions of all users on one message: each is a user id in every copy of it. */
export const REACTIONS_PER_MESSAGE_MAX = 2_000;

/** What a client is told to wait when too many commands are under way, or a store is away. */
export const OVERLOADED_RETRY_AFTER_MS = 500;
export const STORE_RETRY_AFTER_MS = 1_000;
