export * from './redis-condition.js';
export * from './redis-ports.js';
