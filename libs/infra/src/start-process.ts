import type { AppConfig } from './config/configuration.js';
import { ConfigurationError, loadConfiguration } from './config/load-configuration.js';
import type { Tracing } from './tracing/tracing-sdk.js';
import { startTracing } from './tracing/tracing.js';

// Nothing that imports http or pg may be imported above: tracing could not see it any more.

const NODE_VERSION_MIN = [22, 22] as const;

const ELSEWHERE: Record<AppConfig['profile']['name'], string> = {
  embedded: 'PROFILE must be cluster for this process: one process alone is started with npm start',
  cluster:
    'PROFILE must be embedded for this process: the cluster profile is started as api, gateway and worker processes',
};

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

function readConfiguration(profile: AppConfig['profile']['name']): AppConfig {
  try {
    const config = loadConfiguration(process.env);
    return config.profile.name === profile ? config : refuse(ELSEWHERE[config.profile.name]);
  } catch (error) {
    if (error instanceof ConfigurationError) refuse(error.message);
    throw error;
  }
}

/** The first steps of every main file: the version of Node, the configuration, tracing, and only then everything else. */
export async function startProcess(
  profile: AppConfig['profile']['name'],
  load: () => Promise<(config: AppConfig, tracing: Tracing | undefined) => Promise<void>>,
): Promise<void> {
  refuseOldNode();
  const config = readConfiguration(profile);
  const tracing = await startTracing(config.tracing);
  const run = await load();
  await run(config, tracing);
}
