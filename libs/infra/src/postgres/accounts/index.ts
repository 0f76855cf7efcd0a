export * from './postgres-account-store.js';
export * from './postgres-blocks.js';
export * from './postgres-contacts.js';
export * from './postgres-session-revocations.js';
export * from './postgres-user-directory.js';
