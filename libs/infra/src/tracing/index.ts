export { traceBus, traceCommand } from './trace-command.js';
export { startTracing, type Tracing } from './tracing.js';
