import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Message } from '@parley/contracts';
import type { ConversationCommand } from '../../conversation/commands/conversation-command.js';
import { DomainError } from '../../errors/domain-error.js';
import { CommandJournal, type DecidedOutcome } from '../../journal/command-journal.js';
import { EMOJIS_PER_MESSAGE_MAX, REACTIONS_PER_MESSAGE_MAX } from '../../limits/domain-limits.js';
import { MessageChanges } from '../message-changes.js';
import { ReactToMessage } from './react-to-message.command.js';

@CommandHandler(ReactToMessage)
export class ReactToMessageHandler implements ICommandHandler<ReactToMessage> {
  constructor(
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(MessageChanges) private readonly changes: MessageChanges,
  ) {}

  async execute(command: ReactToMessage): Promise<Message> {
    const { conversationId, messageId } = command.payload;
    await this.journal.submit(command.actor, conversationId, () => this.prepare(command));
    return this.changes.answer(command.actor.userId, conversationId, messageId);
  }

  private async prepare({ actor, payload, present }: ReactToMessage): Promise<ConversationCommand | DecidedOutcome> {
    const { conversationId, messageId, emoji } = payload;
    const access = await this.changes.admit(actor.userId, conversationId);
    const message = await this.changes.visible(access, messageId);
    if (message.deletedAt !== null) throw new DomainError('conflict', 'The message is deleted');
    const reaction = message.reactions.find((known) => known.emoji === emoji);
    const isThere = reaction?.userIds.includes(actor.userId) ?? false;
    if (isThere === present) return { kind: 'changed', rev: message.rev };
    if (present) requireRoom(message, reaction !== undefined);
    const { seq, senderId } = message;
    return { type: 'react', message: { messageId, seq, authorId: senderId }, emoji, present };
  }
}

/** Counted at the command's side: a few that come at the same time may pass the bound together. */
function requireRoom({ reactions }: Message, knownEmoji: boolean): void {
  if (!knownEmoji && reactions.length >= EMOJIS_PER_MESSAGE_MAX) {
    throw new DomainError('conflict', `At most ${EMOJIS_PER_MESSAGE_MAX} different emojis on a message`);
  }
  const count = reactions.reduce((sum, { userIds }) => sum + userIds.length, 0);
  if (count >= REACTIONS_PER_MESSAGE_MAX) {
    throw new DomainError('conflict', `At most ${REACTIONS_PER_MESSAGE_MAX} reactions on a message`);
  }
}
