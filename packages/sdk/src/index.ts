/** What users of this package may rely on; everything else may change. */
export { logIn, logOut, resume, signUp, type AccountOptions } from './accounts.js';
export { connect, type ClientEvents, type ClientOptions, type ParleyClient } from './client.js';
export type { Clock } from './clock.js';
export type { ConnectionState } from './connection.js';
export type { DiscontinuityReason } from './conversation-track.js';
export type { ConversationEvents, ParleyConversation, SendOptions } from './conversation.js';
export { ParleyError, type LocalErrorCode } from './errors.js';
export { LIMITS } from './limits.js';
export type { CancelSignal, MediaDoor, UploadOptions, UploadSource } from './media-door.js';
export type { SendFailure } from './outbox.js';
export type { Link, LinkListener, LinkTarget, OpenLink, ServerEvent } from './ports.js';
export type { PushDoor } from './push-door.js';
export { indexedDbStore, keyValueStore, memoryStore, type KeyValueStorage, type ParleyStore } from './store.js';
export type { MessageStatus, TimelineItem } from './timeline-items.js';
export type { TokenOption } from './tokens.js';
export type {
  ContentType,
  Conversation,
  Device,
  ErrorCode,
  FieldError,
  Media,
  Member,
  Message,
  Page,
  Presence,
  Reaction,
  Receipt,
  RegisterDevice,
  Role,
  Settings,
  UpdateMe,
  User,
} from './wire.js';
