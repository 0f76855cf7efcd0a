import { startProcess } from '@parley/infra/start';

await startProcess('cluster', async () => {
  const { runGateway } = await import('./gateway-process.module.js');
  return runGateway;
});
