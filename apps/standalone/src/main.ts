import { startProcess } from '@parley/infra/start';

await startProcess('embedded', async () => {
  const { runStandalone } = await import('./run-standalone.js');
  return runStandalone;
});
