import 'reflect-metadata';
import { type INestApplicationContext, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CommandBus, CqrsModule } from '@nestjs/cqrs';
import { afterEach, describe, expect, it } from 'vitest';
import { COMMAND_HANDLERS, COMMAND_SIDE } from './command-handlers.js';
import { DomainLimits } from './limits/domain-limits.js';
import { MediaDirectory } from './media/media-directory.port.js';
import { MediaLinks } from './media/media-links.port.js';
import { PlainLinks } from './media/testing/given-media.js';
import { SendMessage } from './messages/send-message/send-message.command.js';
import { CommandPoliciesModule } from './policies/policy.module.js';
import { ModerationModule } from './policies/word-filter.testing.js';
import { Broadcast } from './ports/broadcast.port.js';
import { CommandLog } from './ports/command-log.port.js';
import { ConversationReader } from './ports/conversation-reader.port.js';
import { MessageStore } from './ports/message-store.port.js';
import { RateLimiter, UnlimitedRateLimiter } from './ports/rate-limiter.port.js';
import { Replies } from './ports/replies.port.js';
import { SetTyping } from './typing/set-typing/set-typing.command.js';
import { ADA, BEN, by, CommandSide } from './testing/command-side.js';
import { Blocks } from './users/blocks.port.js';
import { UserDirectory } from './users/user-directory.port.js';

describe('the handlers of commands, put together by the container', () => {
  let side: CommandSide;
  let context: INestApplicationContext;
  afterEach(async () => {
    await context.close();
    await side.close();
  });

  it('answer the command bus, and ask the policies that a module has registered', async () => {
    side = new CommandSide();
    const ports = [
      { provide: CommandLog, useValue: side.log },
      { provide: Replies, useValue: side.replies },
      { provide: Broadcast, useValue: side.broadcast },
      { provide: ConversationReader, useValue: side.reader },
      { provide: MessageStore, useValue: side.store },
      { provide: MediaDirectory, useValue: side.media },
      { provide: MediaLinks, useClass: PlainLinks },
      { provide: Blocks, useValue: side.blocks },
      { provide: UserDirectory, useValue: side.users },
      { provide: RateLimiter, useClass: UnlimitedRateLimiter },
      { provide: DomainLimits, useValue: side.limits },
    ];
    @Module({
      imports: [CqrsModule.forRoot(), CommandPoliciesModule, ModerationModule],
      providers: [...COMMAND_HANDLERS, ...COMMAND_SIDE, ...ports],
    })
    class ProcessModule {}
    context = await NestFactory.createApplicationContext(ProcessModule, { logger: false });

    const group = await side.group(ADA, BEN);
    const bus = context.get(CommandBus);
    const payload = side.payload(group, { content: 'Oh gosh' });
    expect(await bus.execute(new SendMessage(by(BEN), payload))).toMatchObject({ status: 'stored', seq: 1 });
    expect(side.contents(group)).toEqual(['Oh ****']);
    await bus.execute(new SetTyping(by(BEN), { conversationId: group, isTyping: true }));
    expect(side.live.at(-1)).toMatchObject({ type: 'typing', userId: BEN });
  });
});
