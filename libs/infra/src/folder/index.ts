export * from './folder-media-spool.js';
export * from './folder-media-storage.js';
