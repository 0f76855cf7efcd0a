export { endProcessInOrder, type ProcessEndOptions, type ProcessLike } from './process-end.js';
export { Shutdown, type ShutdownLog, type ShutdownReport, type ShutdownStep } from './shutdown.js';
