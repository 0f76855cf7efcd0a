import { startProcess } from '@parley/infra/start';

await startProcess('cluster', async () => {
  const { runApi } = await import('./api-process.module.js');
  return runApi;
});
