import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Message } from '@parley/contracts';
import type { ConversationCommand } from '../../conversation/commands/conversation-command.js';
import { DomainError } from '../../errors/domain-error.js';
import { CommandJournal } from '../../journal/command-journal.js';
import { MessageChanges } from '../message-changes.js';
import { EditMessage } from './edit-message.command.js';

@CommandHandler(EditMessage)
export class EditMessageHandler implements ICommandHandler<EditMessage> {
  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(MessageChanges) private readonly changes: MessageChanges,
  ) {}

  async execute(command: EditMessage): Promise<Message> {
    const { conversationId, messageId } = command.payload;
    await this.journal.submit(command.actor, conversationId, () => this.prepare(command));
    const message = await this.changes.answer(command.actor.userId, conversationId, messageId);
    // Deleted between the look-up and the decision: the edit came to nothing.
    if (message.deletedAt !== null) throw deleted();
    return message;
  }

  private async prepare({ actor, payload }: EditMessage): Promise<ConversationCommand> {
    const access = await this.changes.admit(actor.userId, payload.conversationId);
    const { deleted: isDeleted, ...facts } = await this.changes.locate(access, payload.messageId);
    if (facts.authorId !== actor.userId) throw new DomainError('forbidden', 'Only its author edits a message');
    if (isDeleted) throw deleted();
    return { type: 'edit-message', message: facts, content: payload.content };
  }
}

function deleted(): DomainError {
  return new DomainError('conflict', 'The message is deleted');
}
