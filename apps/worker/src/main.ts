import { startProcess } from '@parley/infra/start';

await startProcess('cluster', async () => {
  const { runWorker } = await import('./worker-process.module.js');
  return runWorker;
});
