import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Conversation } from '@parley/contracts';
import { CommandJournal } from '../../journal/command-journal.js';
import { whenKnown } from '../../journal/maybe-promise.js';
import { MembershipDirectory, noSuchConversation } from '../../membership/membership-directory.js';
import { ConversationReader } from '../../ports/conversation-reader.port.js';
import { RenameConversation } from './rename-conversation.command.js';

@CommandHandler(RenameConversation)
export class RenameConversationHandler implements ICommandHandler<RenameConversation> {
  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
  ) {}

  async execute({ actor, conversationId, name }: RenameConversation): Promise<Conversation> {
    await this.journal.submit(actor, conversationId, () =>
      whenKnown(this.directory.requireMember(conversationId, actor.userId), () => ({ type: 'rename' as const, name })),
    );
    const conversation = await this.reader.conversation(conversationId, actor.userId);
    if (!conversation) throw noSuchConversation();
    return conversation;
  }
}
