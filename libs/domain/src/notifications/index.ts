export * from './push-metrics.port.js';
export * from './push-notification.js';
export * from './push-outbox.port.js';
export * from './push-provider.port.js';
export * from './push-sender.js';
export * from './push.handler.js';
