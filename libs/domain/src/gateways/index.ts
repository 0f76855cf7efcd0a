export * from './find-gateways/find-gateways.query.js';
export * from './gateway-choice.js';
export * from './gateway-directory.js';
