export * from './acknowledge-delivery/acknowledge-delivery.command.js';
export * from './get-receipts/get-receipts.query.js';
export * from './mark-read/mark-read.command.js';
