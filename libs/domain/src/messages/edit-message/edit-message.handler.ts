import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { contentProblem, type Message } from '@parley/contracts';
import type { ConversationCommand } from '../../conversation/commands/conversation-command.js';
import { previewOf } from '../../conversation/preview.js';
import { DomainError, invalidField } from '../../errors/domain-error.js';
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
    const message = await this.changes.visible(access, payload.messageId);
    const { messageId, seq, senderId: authorId, contentType, media, deletedAt } = message;
    if (authorId !== actor.userId) throw new DomainError('forbidden', 'Only its author edits a message');
    if (deletedAt !== null) throw deleted();
    const { content } = payload;
    // Type and media of a message never change while it is there, so this holds at the decision as well.
    const problem = contentProblem(content, contentType, media.length > 0);
    if (problem) throw invalidField('content', problem.code, problem.message);
    const command = { type: 'edit-message', message: { messageId, seq, authorId }, content } as const;
    return content === '' ? { ...command, mediaPreview: previewOf('', contentType, media) } : command;
  }
}

function deleted(): DomainError {
  return new DomainError('conflict', 'The message is deleted');
}
