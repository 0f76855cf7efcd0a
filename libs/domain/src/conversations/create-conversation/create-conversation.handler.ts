import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Conversation, CreateConversationBody } from '@parley/contracts';
import type { Actor } from '../../actor.js';
import type { CreateConversationCommand } from '../../conversation/commands/conversation-command.js';
import { DomainError, invalidField } from '../../errors/domain-error.js';
import { CommandJournal, type DecidedOutcome } from '../../journal/command-journal.js';
import { DomainLimits } from '../../limits/domain-limits.js';
import { noSuchConversation } from '../../membership/membership-directory.js';
import { ConversationReader } from '../../ports/conversation-reader.port.js';
import { Blocks } from '../../users/blocks.port.js';
import { UserDirectory } from '../../users/user-directory.port.js';
import { directConversationId, newGroupId, requestedGroupId } from '../conversation-ids.js';
import { requireUsers } from '../known-users.js';
import { CreateConversation } from './create-conversation.command.js';

interface Creation {
  conversation: Conversation;
  created: boolean;
}

@CommandHandler(CreateConversation)
export class CreateConversationHandler implements ICommandHandler<CreateConversation> {
  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
    @Inject(UserDirectory) private readonly users: UserDirectory,
    @Inject(Blocks) private readonly blocks: Blocks,
    @Inject(DomainLimits) private readonly limits: DomainLimits,
  ) {}

  async execute({ actor, body }: CreateConversation): Promise<Creation> {
    const others = [...new Set(body.memberIds)].filter((userId) => userId !== actor.userId);
    return body.type === 'direct' ? this.createDirect(actor, others) : this.createGroup(actor, others, body);
  }

  private async createDirect(actor: Actor, [otherId]: string[]): Promise<Creation> {
    if (otherId === undefined)
      throw invalidField('memberIds', 'oneself', 'A direct conversation is with somebody else');
    const conversationId = directConversationId(actor.userId, otherId);
    return this.create(actor, conversationId, async () => {
      // What exists is answered, whoever has blocked whom since.
      if (await this.reader.membership(conversationId)) return { kind: 'created', existed: true };
      await requireUsers(this.users, 'memberIds', [otherId]);
      const blockers = await this.blocks.blockersOf(actor.userId, [otherId]);
      if (blockers.has(otherId)) throw new DomainError('blocked');
      return { type: 'create-conversation', conversationType: 'direct', name: null, memberIds: [otherId] };
    });
  }

  private async createGroup(actor: Actor, others: string[], body: CreateConversationBody): Promise<Creation> {
    const { clientRequestId, name } = body;
    const conversationId = clientRequestId ? requestedGroupId(actor.userId, clientRequestId) : newGroupId(Date.now());
    return this.create(actor, conversationId, async () => {
      const { groupMembersMax } = this.limits;
      if (others.length + 1 > groupMembersMax) {
        throw new DomainError('members_limit', `A group has at most ${groupMembersMax} members`);
      }
      await requireUsers(this.users, 'memberIds', others);
      return { type: 'create-conversation', conversationType: 'group', name: name ?? null, memberIds: others };
    });
  }

  private async create(
    actor: Actor,
    conversationId: string,
    prepare: () => Promise<CreateConversationCommand | DecidedOutcome>,
  ): Promise<Creation> {
    const outcome = await this.journal.submit(actor, conversationId, prepare);
    if (outcome.kind !== 'created') throw new Error(`a creation came to "${outcome.kind}"`);
    const conversation = await this.reader.conversation(conversationId, actor.userId);
    if (!conversation) throw noSuchConversation();
    return { conversation, created: !outcome.existed };
  }
}
