import { Logger } from '@nestjs/common';
import type { Actor } from '../actor.js';
import type { ConversationCommand } from '../conversation/commands/conversation-command.js';
import { DomainError } from '../errors/domain-error.js';
import { type MaybePromise, whenKnown } from '../journal/maybe-promise.js';
import { STORE_RETRY_AFTER_MS } from '../limits/domain-limits.js';
import { withDeadline } from '../timing/deadline.js';
import type { CommandPolicy, Verdict } from './command-policy.js';

const WARNING_PAUSE_MS = 10_000;

/** The policies of this process. Modules add theirs when they start. */
export class CommandPolicies {
  private policies: readonly CommandPolicy[] = [];
  private readonly warnedAt = new Map<string, number>();
  private readonly logger = new Logger('Policies');

  /** True while there is nothing to ask. */
  get none(): boolean {
    return this.policies.length === 0;
  }

  /** The policy sees every command submitted from now on, after those added before. Answers the way to take it out. */
  add(policy: CommandPolicy): () => void {
    this.policies = [...this.policies, policy];
    return () => {
      this.policies = this.policies.filter((other) => other !== policy);
    };
  }

  /**
   * The command as the policies leave it, `withinMs` from now for all of them together.
   * @throws DomainError what a policy refuses it with, or `store_unavailable` when one has not answered by then
   */
  review(
    actor: Actor,
    conversationId: string,
    command: ConversationCommand,
    withinMs: number,
  ): MaybePromise<ConversationCommand> {
    const { policies } = this;
    const until = performance.now() + withinMs;
    const reviewFrom = (index: number, reviewed: ConversationCommand): MaybePromise<ConversationCommand> => {
      const policy = policies[index];
      if (!policy) return reviewed;
      if (policy.appliesTo && !(policy.appliesTo as readonly string[]).includes(reviewed.type)) {
        return reviewFrom(index + 1, reviewed);
      }
      const answer = policy.review(actor, conversationId, reviewed);
      return whenKnown(answer instanceof Promise ? this.inTime(policy, answer, until) : answer, (verdict) =>
        reviewFrom(index + 1, afterVerdict(policy, reviewed, verdict)),
      );
    };
    return reviewFrom(0, command);
  }

  /** What comes too late is not looked at any more. */
  private inTime(policy: CommandPolicy, answer: Promise<Verdict>, until: number): Promise<Verdict> {
    return withDeadline(answer, until - performance.now(), () => {
      this.warn(policy);
      throw new DomainError('store_unavailable', 'Not reviewed in time: send it again with the same id', {
        retryAfterMs: STORE_RETRY_AFTER_MS,
      });
    });
  }

  /** The client is not told which rule it was, so the log is: now and then, since every command may wait for it. */
  private warn({ name }: CommandPolicy): void {
    const now = performance.now();
    if (now - (this.warnedAt.get(name) ?? Number.NEGATIVE_INFINITY) < WARNING_PAUSE_MS) return;
    this.warnedAt.set(name, now);
    this.logger.warn(`The policy ${name} did not answer in time; its commands are refused as store_unavailable`);
  }
}

function afterVerdict(policy: CommandPolicy, command: ConversationCommand, verdict: Verdict): ConversationCommand {
  if (verdict === 'pass') return command;
  if ('refuse' in verdict) {
    const { code, detail, retryAfterMs } = verdict.refuse;
    throw new DomainError(code, detail, retryAfterMs === undefined ? {} : { retryAfterMs });
  }
  const { change } = verdict;
  if (change.type !== command.type) {
    throw new Error(`policy ${policy.name} made a ${change.type} of a ${command.type}`);
  }
  if (change.type !== 'send-message' || command.type !== 'send-message') return change;
  // A repeated send is recognised by what its sender asked for, whatever this or a later policy makes of it.
  return { ...change, clientMsgId: command.clientMsgId, requestHash: command.requestHash };
}
