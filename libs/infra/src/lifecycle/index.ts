export { drainRequests } from './http-drain.js';
export { Shutdown, type ShutdownLog, type ShutdownPhase, type ShutdownReport } from './shutdown.js';
