export * from './cassandra-client.js';
export * from './cassandra-condition.js';
export * from './cassandra-message-store.js';
export * from './cassandra-schema.js';
