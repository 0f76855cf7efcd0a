import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { ChangeSettingsBody, Settings } from '@parley/contracts';
import type { ChangeSettingsCommand } from '../../conversation/commands/conversation-command.js';
import { CommandJournal } from '../../journal/command-journal.js';
import { whenKnown } from '../../journal/maybe-promise.js';
import { MembershipDirectory, noSuchConversation } from '../../membership/membership-directory.js';
import { ConversationReader } from '../../ports/conversation-reader.port.js';
import { ChangeSettings } from './change-settings.command.js';

@CommandHandler(ChangeSettings)
export class ChangeSettingsHandler implements ICommandHandler<ChangeSettings> {
  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
  ) {}

  async execute({ actor, conversationId, body }: ChangeSettings): Promise<Settings> {
    await this.journal.submit(actor, conversationId, () =>
      whenKnown(this.directory.requireMember(conversationId, actor.userId), () => commandOf(body)),
    );
    const conversation = await this.reader.conversation(conversationId, actor.userId);
    if (!conversation) throw noSuchConversation();
    return conversation.settings;
  }
}

function commandOf({ mutedUntil, pinned, archived }: ChangeSettingsBody): ChangeSettingsCommand {
  return {
    type: 'change-settings',
    ...(mutedUntil === undefined ? {} : { mutedUntil: mutedUntil === null ? null : Date.parse(mutedUntil) }),
    ...(pinned === undefined ? {} : { pinned }),
    ...(archived === undefined ? {} : { archived }),
  };
}
