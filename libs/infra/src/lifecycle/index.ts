export { drainRequests } from './http-drain.js';
export { endProcessInOrder, type ProcessEnd, type ProcessEndOptions, type ProcessLike } from './process-end.js';
export { Shutdown, type ShutdownLog, type ShutdownPhase, type ShutdownReport } from './shutdown.js';
