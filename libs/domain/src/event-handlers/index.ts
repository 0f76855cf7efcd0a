export * from './durable-event-handler.js';
export * from './event-handler-registry.js';
export * from './event-handler-runner.js';
export * from './event-handlers.module.js';
