export * from './redis-ports.js';
