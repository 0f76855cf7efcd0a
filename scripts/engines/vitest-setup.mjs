// Vitest's global setup: the engines that the environment does not name are started, and end with the run.
import { startEngines } from './index.mjs';
import { missingEngines } from './engine-set.mjs';

/** @returns what stops them; the workers that start afterwards inherit the variables */
export default async function setUp() {
  const names = missingEngines(process.env);
  if (names.length === 0) return undefined;
  const started = await startEngines(names);
  Object.assign(process.env, started.env);
  return () => started.stop();
}
