import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Conversation } from '@parley/contracts';
import type { ChangeMembersCommand } from '../../conversation/commands/conversation-command.js';
import { DomainError } from '../../errors/domain-error.js';
import { CommandJournal } from '../../journal/command-journal.js';
import { DomainLimits } from '../../limits/domain-limits.js';
import { MembershipDirectory, noSuchConversation } from '../../membership/membership-directory.js';
import { ConversationReader } from '../../ports/conversation-reader.port.js';
import { UserDirectory } from '../../users/user-directory.port.js';
import { requireUsers } from '../known-users.js';
import { ChangeMembers } from './change-members.command.js';

@CommandHandler(ChangeMembers)
export class ChangeMembersHandler implements ICommandHandler<ChangeMembers> {
  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
    @Inject(UserDirectory) private readonly users: UserDirectory,
    @Inject(DomainLimits) private readonly limits: DomainLimits,
  ) {}

  async execute(command: ChangeMembers): Promise<Conversation> {
    const { actor, conversationId, body } = command;
    const leaves = body.remove?.includes(actor.userId) ?? false;
    const lastView = leaves ? await this.reader.conversation(conversationId, actor.userId) : null;
    const outcome = await this.journal.submit(actor, conversationId, () => this.prepare(command));
    const conversation = await this.reader.conversation(conversationId, actor.userId);
    if (conversation) return conversation;
    // Whoever has left sees no more of it than before, but that they are gone.
    if (lastView && outcome.kind === 'changed') return this.withoutLeaver(lastView, outcome.rev);
    throw noSuchConversation();
  }

  private async prepare({ actor, conversationId, body }: ChangeMembers): Promise<ChangeMembersCommand> {
    const { membership } = await this.directory.requireMember(conversationId, actor.userId);
    if (membership.type === 'direct') {
      throw new DomainError('conflict', 'The members of a direct conversation never change');
    }
    const add = [...new Set(body.add)];
    const remove = [...new Set(body.remove)];
    const membersMax = this.limits.groupMembersMax;
    if (add.length > membersMax) throw new DomainError('members_limit', `A group has at most ${membersMax} members`);
    await requireUsers(this.users, 'add', add);
    return { type: 'change-members', add, remove, roles: body.roles ?? {}, membersMax };
  }

  private async withoutLeaver(view: Conversation, rev: number): Promise<Conversation> {
    const left = (await this.directory.reload(view.conversationId))?.members;
    const members = view.members.filter(({ userId }) => left?.has(userId));
    return { ...view, lastRev: Math.max(view.lastRev, rev), members, memberCount: left?.size ?? 0 };
  }
}
