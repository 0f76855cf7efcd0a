export * from './delete-message/delete-message.command.js';
export * from './edit-message/edit-message.command.js';
export * from './get-history/get-history.query.js';
export * from './get-message/get-message.query.js';
export * from './get-sent-message/get-sent-message.query.js';
export * from './react-to-message/react-to-message.command.js';
export * from './send-message/send-message.command.js';
