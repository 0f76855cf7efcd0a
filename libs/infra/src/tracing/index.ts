export { traceBus } from './trace-command.js';
export type { Tracing } from './tracing-sdk.js';
