import type { TestProject } from 'vitest/node';
import { findChromium } from '../../scripts/browser/chromium.mjs';
import { startBuiltServer } from '../../scripts/browser/built-server.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the server of this run is. */
    serverUrl: string;
  }
}

/** One server for all files of a run; a browser is fetched here, where there is time for it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await findChromium();
  const server = await startBuiltServer();
  project.provide('serverUrl', server.url);
  return () => server.stop();
}
