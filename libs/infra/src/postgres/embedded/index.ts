export { DataDirLock } from './data-dir-lock.js';
export { DataDirBusyError, EmbeddedPostgresError } from './embedded-postgres-error.js';
export { findRunningPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
export type {
  EmbeddedPostgres,
  EmbeddedPostgresConnection,
  EmbeddedPostgresLog,
  EmbeddedPostgresOptions,
} from './embedded-postgres.js';
export {
  startSupervisedPostgres,
  type SupervisedPostgres,
  type SupervisedPostgresOptions,
} from './supervised-postgres.js';
