import type { Actor } from '../actor.js';
import type { ConversationCommand } from '../conversation/commands/conversation-command.js';
import { DomainError } from '../errors/domain-error.js';
import { type MaybePromise, whenKnown } from '../journal/maybe-promise.js';
import type { CommandPolicy, Verdict } from './command-policy.js';

/** The policies of this process. Modules add theirs when they start. */
export class CommandPolicies {
  private policies: readonly CommandPolicy[] = [];

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
   * The command as the policies leave it.
   * @throws DomainError what a policy refuses it with
   */
  review(actor: Actor, conversationId: string, command: ConversationCommand): MaybePromise<ConversationCommand> {
    return this.reviewFrom(0, this.policies, actor, conversationId, command);
  }

  private reviewFrom(
    index: number,
    policies: readonly CommandPolicy[],
    actor: Actor,
    conversationId: string,
    command: ConversationCommand,
  ): MaybePromise<ConversationCommand> {
    const policy = policies[index];
    if (!policy) return command;
    if (policy.appliesTo && !policy.appliesTo.includes(command.type)) {
      return this.reviewFrom(index + 1, policies, actor, conversationId, command);
    }
    return whenKnown(policy.review(actor, conversationId, command), (verdict) =>
      this.reviewFrom(index + 1, policies, actor, conversationId, afterVerdict(policy, command, verdict)),
    );
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
