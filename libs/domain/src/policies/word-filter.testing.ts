import { Inject, Module } from '@nestjs/common';
import type { Actor } from '../actor.js';
import type { ConversationCommand, SendMessageCommand } from '../conversation/commands/conversation-command.js';
import { CommandPolicy, type Verdict } from './command-policy.js';
import { PolicyModule } from './policy.module.js';

class WordList {
  readonly words = ['gosh'];
}

@Module({ providers: [WordList], exports: [WordList] })
class WordListModule {}

/** Changes what is sent. Knows its words from another module, as a real one would from its database. */
export class WordFilter extends CommandPolicy {
  override readonly name = 'word-filter';
  override readonly appliesTo = ['send-message', 'edit-message'] as const;

  constructor(@Inject(WordList) private readonly list: WordList) {
    super();
  }

  override review(_actor: Actor, _conversationId: string, command: ConversationCommand): Verdict {
    if (!('content' in command)) return 'pass';
    const content = this.list.words.reduce((text, word) => text.replaceAll(word, '****'), command.content);
    return content === command.content ? 'pass' : { change: { ...command, content } };
  }
}

export const QUOTA_CODE_UNITS_MAX = 100;

/** Refuses who has sent too much. Answers with a promise, as one does that asks a store. */
export class SendQuota extends CommandPolicy {
  override readonly name = 'send-quota';
  override readonly appliesTo = ['send-message'] as const;
  private readonly used = new Map<string, number>();

  override async review({ userId }: Actor, _conversationId: string, command: ConversationCommand): Promise<Verdict> {
    const used = (this.used.get(userId) ?? 0) + (command as SendMessageCommand).content.length;
    if (used > QUOTA_CODE_UNITS_MAX) return { refuse: { code: 'forbidden', detail: 'Your quota is used up' } };
    this.used.set(userId, used);
    return 'pass';
  }
}

@Module({ imports: [PolicyModule.register([WordFilter, SendQuota], [WordListModule])] })
export class ModerationModule {}
