export * from './tus-stores.js';
export * from './tus-uploads.js';
