import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CqrsModule, QueryBus } from '@nestjs/cqrs';
import {
  ConversationReader,
  CursorCodec,
  GatewayDirectory,
  MediaLinks,
  MessageStore,
  PresenceRecords,
  QUERY_HANDLERS,
  SessionRegistry,
} from '@parley/domain';
import { PlainLinks } from '../../../../domain/src/media/testing/given-media.js';
import { ConversationWorld } from '../../../../domain/src/ports/testing/conversation-world.js';
import { HmacCursorCodec } from '../../auth/hmac-cursor-codec.js';
import { PostgresMessageStore } from '../message-store/postgres-message-store.js';
import { openReaderHarness, type PostgresReaderHarness } from './reader-harness.testing.js';

export interface QueryHarness extends PostgresReaderHarness {
  queries: QueryBus;
  create(
    userIds: readonly string[],
    options?: Parameters<typeof ConversationWorld.create>[2],
  ): Promise<ConversationWorld>;
}

/** The queries behind their bus, on a real database. */
export async function openQueryHarness(): Promise<QueryHarness> {
  const harness = await openReaderHarness();

  @Module({
    imports: [CqrsModule],
    providers: [
      ...QUERY_HANDLERS,
      { provide: ConversationReader, useValue: harness.reader },
      { provide: MessageStore, useValue: new PostgresMessageStore(harness.database.pool) },
      // Behind queries that are not asked here.
      ...[SessionRegistry, PresenceRecords, GatewayDirectory].map((provide) => ({ provide, useValue: null })),
      { provide: MediaLinks, useClass: PlainLinks },
      { provide: CursorCodec, useValue: new HmacCursorCodec('a secret of these tests') },
    ],
  })
  class QueriesModule {}

  const app = await NestFactory.createApplicationContext(QueriesModule, { logger: false });
  await app.init();
  return {
    ...harness,
    queries: app.get(QueryBus),
    create: (userIds, options) => ConversationWorld.create(harness.write, userIds, options),
    close: async () => {
      await app.close();
      await harness.close();
    },
  };
}
