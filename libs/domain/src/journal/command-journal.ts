import { Inject, type OnModuleDestroy, Optional } from '@nestjs/common';
import type { Actor } from '../actor.js';
import { COMMAND_RECORD_VERSION, type CommandRecord } from '../conversation/commands/command-record.js';
import type { ConversationCommand } from '../conversation/commands/conversation-command.js';
import type { Outcome } from '../conversation/decision.js';
import { DomainError } from '../errors/domain-error.js';
import { DomainLimits, OVERLOADED_RETRY_AFTER_MS, STORE_RETRY_AFTER_MS } from '../limits/domain-limits.js';
import { CommandPolicies } from '../policies/command-policies.js';
import { Broadcast } from '../ports/broadcast.port.js';
import { CommandLog } from '../ports/command-log.port.js';
import { PipelineMetrics } from '../ports/pipeline-metrics.port.js';
import { Replies } from '../ports/replies.port.js';
import { AcceptedSends } from './accepted-sends.js';
import { AdmissionOrder } from './admission-order.js';
import { type MaybePromise, whenKnown } from './maybe-promise.js';

/** An outcome that is no refusal: those are thrown. */
export type DecidedOutcome = Exclude<Outcome, { kind: 'refused' }>;

/**
 * Looks up what a command needs and makes it; runs in the turn of its socket. It throws a DomainError to refuse, and
 * answers an outcome where nothing needs to be journaled (what was asked for is so already).
 */
export type Prepare = () => MaybePromise<ConversationCommand | DecidedOutcome>;

export interface SubmitOptions {
  /** Instead of the configured wait. */
  waitMs?: number;
}

const DRAIN_POLL_MS = 10;

/** A command on its way through the log. */
interface Submission {
  record: CommandRecord;
  outcome: Promise<Outcome | null>;
  /** The log has it. */
  appended: boolean;
  /** Why the log did not take it. */
  failure: Error | undefined;
}

export function storeUnavailable(detail = 'Not stored in time: send it again with the same id'): DomainError {
  return new DomainError('store_unavailable', detail, { retryAfterMs: STORE_RETRY_AFTER_MS });
}

/**
 * The one way into the command log: policies, the record, the wait for its outcome.
 *
 * An answer always comes within the wait. An error means that the command is not in the log, or that it may safely be
 * submitted again (a send under the same clientMsgId).
 */
export class CommandJournal implements OnModuleDestroy {
  private inFlight = 0;
  private lastCommand = 0;
  private readonly accepted: AcceptedSends;

  constructor(
    @Inject(CommandLog) private readonly log: CommandLog,
    @Inject(Replies) private readonly replies: Replies,
    @Inject(Broadcast) broadcast: Broadcast,
    @Inject(CommandPolicies) private readonly policies: CommandPolicies,
    @Inject(AdmissionOrder) private readonly order: AdmissionOrder,
    @Inject(DomainLimits) private readonly limits: DomainLimits,
    @Optional() @Inject(PipelineMetrics) private readonly metrics?: PipelineMetrics,
  ) {
    const options = { nextCommandId: () => this.nextCommandId(), waitMs: limits.sendWaitMs };
    this.accepted = new AcceptedSends(log, replies, broadcast, options);
  }

  onModuleDestroy(): void {
    this.accepted.close();
  }

  /** Commands that wait for their outcome. */
  get commandsInFlight(): number {
    return this.inFlight;
  }

  /** Resolves when no command waits any more: each has an end within its wait, so this has one too. */
  async drained(): Promise<void> {
    while (this.inFlight > 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  }

  /** This process's address for replies, and an id that no other submission has. */
  nextCommandId(): string {
    this.lastCommand += 1;
    return `${this.replies.processId}:${this.lastCommand.toString(36)}`;
  }

  /**
   * Journals a command and waits for what it comes to.
   * @throws DomainError a refusal (of `prepare`, a policy or the decision), `overloaded`, or `store_unavailable`
   */
  async submit(
    actor: Actor,
    conversationId: string,
    prepare: Prepare,
    options: SubmitOptions = {},
  ): Promise<DecidedOutcome> {
    const outcome = await this.run(actor, conversationId, prepare, options.waitMs ?? this.limits.sendWaitMs);
    if (outcome === null) throw storeUnavailable();
    return outcome;
  }

  /**
   * The same for a send. Null is `accepted`: the log has it for good and its outcome did not come in time; the end is
   * published as `send-settled` when it comes.
   */
  async submitSend(
    actor: Actor,
    conversationId: string,
    prepare: Prepare,
    options: SubmitOptions = {},
  ): Promise<Extract<Outcome, { kind: 'sent' }> | null> {
    const outcome = await this.run(actor, conversationId, prepare, options.waitMs ?? this.limits.sendWaitMs);
    if (outcome === null || outcome.kind === 'sent') return outcome;
    throw new Error(`a send came to "${outcome.kind}"`);
  }

  private async run(
    actor: Actor,
    conversationId: string,
    prepare: Prepare,
    waitMs: number,
  ): Promise<DecidedOutcome | null> {
    let submission: Submission | DecidedOutcome;
    if (this.inFlight >= this.limits.commandsInFlightMax) {
      this.metrics?.commandRefused('overloaded');
      throw new DomainError('overloaded', undefined, { retryAfterMs: OVERLOADED_RETRY_AFTER_MS });
    }
    this.inFlight += 1;
    try {
      const until = performance.now() + waitMs;
      const admitted = this.order.run(actor.connectionId, () =>
        this.admit(actor, conversationId, prepare, { waitMs, until }),
      );
      submission = admitted instanceof Promise ? await admitted : admitted;
      if ('kind' in submission) return submission;
      const outcome = await submission.outcome;
      // The owner has counted its refusals; those below are the ones of this side.
      if (outcome?.kind === 'refused') throw new DecidedRefusal(outcome.code, outcome.detail);
      return outcome ?? this.withoutOutcome(submission);
    } catch (error) {
      if (error instanceof DomainError && !(error instanceof DecidedRefusal)) this.metrics?.commandRefused(error.code);
      throw error;
    } finally {
      this.inFlight -= 1;
    }
  }

  private admit(
    actor: Actor,
    conversationId: string,
    prepare: Prepare,
    { waitMs, until }: { waitMs: number; until: number },
  ): MaybePromise<Submission | DecidedOutcome> {
    // Behind others of its socket that a store or a policy has kept: waits one after the other would add up.
    if (performance.now() >= until) throw storeUnavailable();
    return whenKnown(prepare(), (prepared) => {
      if ('kind' in prepared) return prepared;
      if (this.policies.none) return this.append(actor, conversationId, prepared, waitMs);
      return whenKnown(this.policies.review(actor, conversationId, prepared, until - performance.now()), (command) =>
        this.append(actor, conversationId, command, Math.max(1, until - performance.now())),
      );
    });
  }

  private append(actor: Actor, conversationId: string, command: ConversationCommand, waitMs: number): Submission {
    const commandId = this.nextCommandId();
    const record: CommandRecord = {
      version: COMMAND_RECORD_VERSION,
      commandId,
      conversationId,
      actorId: actor.userId,
      origin: { processId: this.replies.processId, connectionId: actor.connectionId },
      command,
      submittedAt: Date.now(),
    };
    const submission = { record, appended: false, failure: undefined } as Submission;
    const mayBeLate = command.type === 'send-message' && this.log.durableAt === 'append';
    submission.outcome = this.replies.expect(
      commandId,
      waitMs,
      mayBeLate ? (outcome) => this.accepted.settle(record, outcome) : undefined,
    );
    this.log.append([record]).then(
      () => {
        submission.appended = true;
      },
      (error: unknown) => {
        submission.failure = error instanceof Error ? error : new Error(String(error));
        this.replies.cancel(commandId);
      },
    );
    return submission;
  }

  /** The wait is over, or the log refused. Null: answered `accepted`. */
  private withoutOutcome(submission: Submission): null {
    const { record, failure } = submission;
    if (failure) throw failure;
    if (this.log.durableAt === 'commit') {
      // Taken back or not: not yet committed, and a repeated send is recognised by its clientMsgId.
      this.log.withdraw(record.commandId);
      throw storeUnavailable();
    }
    if (!submission.appended || record.command.type !== 'send-message') throw storeUnavailable();
    this.accepted.add(record);
    return null;
  }
}

/** Refused by the decision, not at the commands' side. */
class DecidedRefusal extends DomainError {}
