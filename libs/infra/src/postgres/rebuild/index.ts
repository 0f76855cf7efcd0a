export * from './read-model-rebuild.js';
