export * from './memory-broadcast.js';
export * from './memory-command-log.js';
export * from './memory-gateway-registry.js';
export * from './memory-replies.js';
export * from './memory-session-registry.js';
