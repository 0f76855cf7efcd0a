export * from './dead-commands.js';
export * from './postgres-condition.js';
