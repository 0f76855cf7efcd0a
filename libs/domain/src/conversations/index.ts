export * from './change-members/change-members.command.js';
export * from './change-settings/change-settings.command.js';
export * from './create-conversation/create-conversation.command.js';
export * from './get-conversation/get-conversation.query.js';
export * from './list-conversations/list-conversations.query.js';
export * from './list-members/list-members.query.js';
export * from './rename-conversation/rename-conversation.command.js';
