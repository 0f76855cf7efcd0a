export * from './kafka-client.js';
export * from './kafka-command-log.js';
export * from './kafka-condition.js';
export * from './kafka-event-stream.js';
export * from './kafka-readiness.js';
export * from './kafka-topics.js';
