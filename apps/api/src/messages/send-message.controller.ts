import { Body, Controller, Inject, Param, Post, Res } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  type Accepted,
  AcceptedSchema,
  type Message,
  MessageSchema,
  type SendMessageBody,
  SendMessageBodySchema,
} from '@parley/contracts';
import { GetSentMessage, type Principal, SendMessage } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';
import type { FastifyReply } from 'fastify';

@Controller('v1/conversations')
export class SendMessageController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Post(':conversationId/messages')
  @Operation({
    tag: 'Messages',
    summary: 'Send a message',
    description:
      'Repeat a send whose answer was lost with the same `clientMsgId`: it is stored once, and the first answer comes again.',
    answers: [
      { status: 201, description: 'Stored: it is never lost from here on', schema: MessageSchema },
      { status: 200, description: 'It was stored before; the message of the first send', schema: MessageSchema },
      { status: 202, description: 'Durable, and not stored yet; the socket tells how it ends', schema: AcceptedSchema },
    ],
    refusals: ['blocked', 'not_found', 'client_msg_id_reused'],
  })
  async sendMessage(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
    @Body({ schema: SendMessageBodySchema }) body: SendMessageBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Message | Accepted> {
    const outcome = await this.commands.execute(new SendMessage(actorOf(caller), { conversationId, ...body }));
    if (outcome.status === 'accepted') {
      void reply.code(202);
      return outcome;
    }
    void reply.code(outcome.duplicate ? 200 : 201);
    return this.queries.execute(new GetSentMessage(caller.userId, conversationId, outcome.messageId));
  }
}
