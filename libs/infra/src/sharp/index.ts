export * from './sharp-media-processor.js';
