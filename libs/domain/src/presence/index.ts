export * from './presence-records.port.js';
export * from './presence-status.js';
export * from './query-presence/query-presence.query.js';
