export * from './dead-commands.js';
export * from './postgres-condition.js';
export { PostgresHandlerProgress } from '../event-handlers/postgres-handler-progress.js';
