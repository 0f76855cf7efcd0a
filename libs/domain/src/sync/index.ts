export * from './sync-conversations/sync-conversations.query.js';
