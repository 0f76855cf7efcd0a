export * from './read-model-rebuild.js';
export { RebuildUnderWay } from './rebuild-tables.js';
