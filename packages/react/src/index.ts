/** What users of this package may rely on; everything else may change. */
export { ParleyProvider, useParley, type ParleyProviderProps, type ParleySession } from './provider.js';
export { useConnection } from './use-connection.js';
export { useConversation, type ConversationView } from './use-conversation.js';
export { useConversations, type ConversationsView } from './use-conversations.js';
export { usePresence } from './use-presence.js';
export { useTyping } from './use-typing.js';
