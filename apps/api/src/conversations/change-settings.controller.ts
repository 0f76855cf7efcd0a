import { Body, Controller, Inject, Param, Put } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { type ChangeSettingsBody, ChangeSettingsSchema, type Settings, SettingsSchema } from '@parley/contracts';
import { ChangeSettings, type Principal } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';
import { actorOf } from '../http/actor.js';
import { type ConversationParams, ConversationParamsSchema } from '../http/path-params.js';

@Controller('v1/conversations')
export class ChangeSettingsController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Put(':conversationId/settings')
  @Operation({
    tag: 'Conversations',
    summary: "Mute, pin or archive, in the caller's own view",
    description: 'What is left out stays as it is.',
    answers: [{ status: 200, description: 'All settings as they are now', schema: SettingsSchema }],
    refusals: ['not_found'],
  })
  changeSettings(
    @CurrentUser() caller: Principal,
    @Param({ schema: ConversationParamsSchema }) { conversationId }: ConversationParams,
    @Body({ schema: ChangeSettingsSchema }) body: ChangeSettingsBody,
  ): Promise<Settings> {
    return this.commands.execute(new ChangeSettings(actorOf(caller), conversationId, body));
  }
}
