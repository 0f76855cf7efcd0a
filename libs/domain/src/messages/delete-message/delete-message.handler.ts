import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Message } from '@parley/contracts';
import type { ConversationCommand } from '../../conversation/commands/conversation-command.js';
import { DomainError } from '../../errors/domain-error.js';
import { CommandJournal, type DecidedOutcome } from '../../journal/command-journal.js';
import { type MemberAccess, MembershipDirectory } from '../../membership/membership-directory.js';
import { MessageChanges } from '../message-changes.js';
import { DeleteMessage } from './delete-message.command.js';

@CommandHandler(DeleteMessage)
export class DeleteMessageHandler implements ICommandHandler<DeleteMessage> {
  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(MessageChanges) private readonly changes: MessageChanges,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
  ) {}

  async execute(command: DeleteMessage): Promise<Message> {
    const { conversationId, messageId } = command.payload;
    await this.journal.submit(command.actor, conversationId, () => this.prepare(command));
    return this.changes.answer(command.actor.userId, conversationId, messageId);
  }

  private async prepare({ actor, payload }: DeleteMessage): Promise<ConversationCommand | DecidedOutcome> {
    const access = await this.changes.admit(actor.userId, payload.conversationId);
    const { deleted, ...facts } = await this.changes.locate(access, payload.messageId);
    if (facts.authorId !== actor.userId) await this.requireAdmin(access, actor.userId);
    // It is answered as it is; there is nothing to decide, so no revision is used up.
    if (deleted)
      return { kind: 'changed', rev: (await this.changes.stored(payload.conversationId, facts.messageId)).rev };
    return { type: 'delete-message', message: facts };
  }

  private async requireAdmin({ membership }: MemberAccess, userId: string): Promise<void> {
    const isGroup = membership.type === 'group';
    if (isGroup && (await this.directory.requireAdmin(membership.conversationId, userId))) return;
    throw new DomainError('forbidden', 'Only its author or an admin deletes a message');
  }
}
