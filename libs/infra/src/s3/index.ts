export * from './s3-media-storage.js';
