import { ConfigurationError, loadConfiguration, type AppConfig } from '@parley/infra/config';
import { startTracing } from '@parley/infra/tracing';

// Nothing that imports http or pg may be imported above: tracing could not see it any more.

const NODE_VERSION_MIN = [22, 22] as const;

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function refuseOldNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [majorMin, minorMin] = NODE_VERSION_MIN;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  refuse(`Parley needs Node ${NODE_VERSION_MIN.join('.')} or newer; this is Node ${process.versions.node}.`);
}

function readConfiguration(): AppConfig {
  try {
    return loadConfiguration(process.env);
  } catch (error) {
    if (error instanceof ConfigurationError) refuse(error.message);
    throw error;
  }
}

refuseOldNode();
const config = readConfiguration();
const tracing = await startTracing(config.tracing);
const { runStandalone } = await import('./run-standalone.js');
await runStandalone(config, tracing);
