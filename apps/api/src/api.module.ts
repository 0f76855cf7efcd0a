import { Module, type Type } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { MEDIA_HANDLERS, MediaDirectory, MediaStorage, UploadMedia } from '@parley/domain';
import { APP_CONFIG, type AppConfig, resumableUploads } from '@parley/infra';
import { AccountsModule } from './accounts/accounts.module.js';
import { ConnectController } from './connect/connect.controller.js';
import { ChangeSettingsController } from './conversations/change-settings.controller.js';
import { CreateConversationController } from './conversations/create-conversation.controller.js';
import { GetConversationController } from './conversations/get-conversation.controller.js';
import { ListConversationsController } from './conversations/list-conversations.controller.js';
import { RenameConversationController } from './conversations/rename-conversation.controller.js';
import { DevicesModule } from './devices/devices.module.js';
import { PagesController } from './documents/pages.controller.js';
import { HealthModule } from './health/health.module.js';
import { HttpSettings } from './http/http-settings.js';
import { ChangeMembersController } from './members/change-members.controller.js';
import { ListMembersController } from './members/list-members.controller.js';
import { mediaLinkOrigins } from './media/media-link-origin.js';
import { MediaController } from './media/media.controller.js';
import { ResumableUploadsController } from './media/resumable-uploads.controller.js';
import { ResumableUploads } from './media/resumable-uploads.js';
import { DeleteMessageController } from './messages/delete-message.controller.js';
import { EditMessageController } from './messages/edit-message.controller.js';
import { GetHistoryController } from './messages/get-history.controller.js';
import { GetMessageController } from './messages/get-message.controller.js';
import { SendMessageController } from './messages/send-message.controller.js';
import { PresenceController } from './presence/presence.controller.js';
import { ReactionsController } from './reactions/reactions.controller.js';
import { GetReceiptsController } from './receipts/get-receipts.controller.js';
import { MarkReadController } from './receipts/mark-read.controller.js';
import { SyncController } from './sync/sync.controller.js';
import { UsersModule } from './users/users.module.js';
import { WebClientFiles } from './web-client/web-client-files.js';
import { WebClientController } from './web-client/web-client.controller.js';

export const API_CONTROLLERS: Type[] = [
  PagesController,
  WebClientController,
  ConnectController,
  CreateConversationController,
  ListConversationsController,
  GetConversationController,
  RenameConversationController,
  ChangeSettingsController,
  ListMembersController,
  ChangeMembersController,
  SendMessageController,
  GetHistoryController,
  GetMessageController,
  EditMessageController,
  DeleteMessageController,
  ReactionsController,
  MarkReadController,
  GetReceiptsController,
  PresenceController,
  SyncController,
  MediaController,
  ResumableUploadsController,
];

/**
 * The REST door: every route of the contract, and the pages. Needs a global CqrsModule with the domain's handlers, a
 * global `TokenVerifier`, `RateLimiter`, `DoorMetrics` and configuration, and `configureHttp` on the application.
 */
@Module({
  imports: [AccountsModule, UsersModule, DevicesModule, HealthModule],
  controllers: API_CONTROLLERS,
  providers: [
    ...MEDIA_HANDLERS,
    {
      provide: ResumableUploads,
      inject: [APP_CONFIG, CommandBus, MediaDirectory],
      useFactory: (config: AppConfig, commands: CommandBus, directory: MediaDirectory): ResumableUploads =>
        resumableUploads(config, {
          path: '/v1/media/tus',
          usedBytes: (userId) => directory.usedBytes(userId),
          upload: (userId, claims, bytes) => commands.execute(new UploadMedia(userId, claims, bytes)),
        }),
    },
    { provide: WebClientFiles, useFactory: () => WebClientFiles.built() },
    {
      provide: HttpSettings,
      inject: [APP_CONFIG, MediaStorage],
      useFactory: async (config: AppConfig, storage: MediaStorage): Promise<HttpSettings> => {
        const { profile, http, rateLimits, gateways } = config;
        return {
          publicUrl: http.publicUrl ?? null,
          gatewayUrls: gateways.urls,
          region: gateways.region ?? null,
          areSocketsElsewhere: profile.name === 'cluster',
          allowedOrigins: http.allowedOrigins,
          mediaOrigins: await mediaLinkOrigins(storage),
          restPerUser: rateLimits.restPerUser,
          restPerAddress: rateLimits.restPerAddress,
        };
      },
    },
  ],
})
export class ApiModule {}
