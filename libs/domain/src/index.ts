export * from './errors/domain-error.js';
export * from './ports/door-metrics.port.js';
export * from './ports/pipeline-metrics.port.js';
