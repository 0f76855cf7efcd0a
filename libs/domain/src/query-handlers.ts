import { GetConversationHandler } from './conversations/get-conversation/get-conversation.handler.js';
import { ListConversationsHandler } from './conversations/list-conversations/list-conversations.handler.js';
import { ListMembersHandler } from './conversations/list-members/list-members.handler.js';
import { FindGatewaysHandler } from './gateways/find-gateways/find-gateways.handler.js';
import { GetHistoryHandler } from './messages/get-history/get-history.handler.js';
import { GetMessageHandler } from './messages/get-message/get-message.handler.js';
import { GetSentMessageHandler } from './messages/get-sent-message/get-sent-message.handler.js';
import { QueryPresenceHandler } from './presence/query-presence/query-presence.handler.js';
import { GetReceiptsHandler } from './receipts/get-receipts/get-receipts.handler.js';
import { SyncConversationsHandler } from './sync/sync-conversations/sync-conversations.handler.js';

/**
 * What answers the queries about conversations, for the Nest module of whichever process does. They need the ports
 * ConversationReader, MessageStore, CursorCodec, SessionRegistry and PresenceRecords, and GatewayDirectory.
 */
export const QUERY_HANDLERS = [
  GetConversationHandler,
  ListConversationsHandler,
  ListMembersHandler,
  GetHistoryHandler,
  GetMessageHandler,
  GetSentMessageHandler,
  GetReceiptsHandler,
  QueryPresenceHandler,
  SyncConversationsHandler,
  FindGatewaysHandler,
];
