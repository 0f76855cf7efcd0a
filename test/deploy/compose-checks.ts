import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { EnvironmentSchema } from '../../libs/infra/src/config/configuration.js';
import { loadConfiguration } from '../../libs/infra/src/config/load-configuration.js';

export interface ComposeService {
  image?: string;
  build?: unknown;
  command?: string[];
  environment?: Record<string, string>;
  healthcheck?: { disable?: boolean; test?: string[] };
  stop_grace_period?: string;
  volumes?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  deploy?: { replicas?: number; resources?: { limits?: Record<string, string> } };
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  volumes?: Record<string, unknown>;
}

/** What the Dockerfile makes. */
export const OWN_IMAGE = 'parley:local';
const DEPENDENCY_CONDITIONS = new Set(['service_healthy', 'service_completed_successfully']);

const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'schemas', 'compose-spec.json'), 'utf8')) as object;
// The schema names its own dialect by an address that the checker does not know; it is the checker's default.
const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, validateSchema: false });
const fits = ajv.compile({ ...schema, $schema: undefined });

/** `NAME=value` lines, without comments. */
export function readEnvironmentFile(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => /^[A-Z0-9_]+=/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** As Compose puts variables in: `${NAME}`, `${NAME:-default}`, `${NAME:?why}`, and `$$` for a dollar. */
function interpolate(text: string, given: Readonly<Record<string, string>>, problems: string[]): string {
  return text.replaceAll(
    /\$\$|\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}|\$[A-Za-z_]\w*/g,
    (whole, name?: string, kind?: string, rest = '') => {
      if (whole === '$$') return '$';
      if (name === undefined) {
        problems.push(`${whole} is not written as \${…}`);
        return '';
      }
      const value = given[name];
      if (value) return value;
      if (!(name in given)) problems.push(`${name} is in no environment file`);
      if (kind === '-') return rest;
      problems.push(`${name} has no value`);
      return '';
    },
  );
}

/** A compose file as Compose reads it, with its variables put in. */
export function readComposeFile(
  text: string,
  given: Readonly<Record<string, string>>,
  problems: string[] = [],
): ComposeFile {
  return parse(interpolate(withoutComments(text), given, problems), { merge: true }) as ComposeFile;
}

/**
 * What is wrong with a compose file, as sentences: against the schema of the specification, against the configuration
 * that the processes read, and against what every service here needs.
 */
export function problemsOfCompose(text: string, given: Readonly<Record<string, string>>): string[] {
  const problems: string[] = [];
  const file = readComposeFile(text, given, problems);
  if (!fits(file)) {
    for (const { instancePath, message } of fits.errors ?? []) problems.push(`${instancePath}: ${message}`);
    return problems;
  }
  for (const [name, service] of Object.entries(file.services)) {
    const said = [...problemsOfService(service, file)];
    if (service.image === OWN_IMAGE) said.push(...problemsOfOwn(service));
    problems.push(...said.map((problem) => `${name}: ${problem}`));
  }
  return problems;
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n');
}

function problemsOfService(service: ComposeService, { services, volumes = {} }: ComposeFile): string[] {
  const problems: string[] = [];
  const limits = service.deploy?.resources?.limits;
  if (!limits?.['memory'] || !limits['cpus']) problems.push('has no limits of memory and processors');
  for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
    const other = services[name];
    if (!other) problems.push(`waits for ${name}, which is not there`);
    else if (!DEPENDENCY_CONDITIONS.has(condition)) problems.push(`waits for ${name} only to be started`);
    else if (condition === 'service_healthy' && !other.healthcheck?.test) problems.push(`${name} has no health check`);
  }
  for (const volume of service.volumes ?? []) {
    const [source = ''] = volume.split(':');
    if (!source.startsWith('.') && !(source in volumes)) problems.push(`the volume ${source} is not declared`);
  }
  for (const port of service.ports ?? []) {
    if (!port.startsWith('127.0.0.1:')) problems.push(`opens port ${port} to the network`);
  }
  if (service.image?.endsWith(':latest') || (service.image && !service.image.includes(':'))) {
    problems.push(`the image ${service.image} has no version`);
  }
  return problems;
}

/** Of a process of ours. */
function problemsOfOwn({ environment = {}, command = [], healthcheck, stop_grace_period }: ComposeService): string[] {
  const unknown = Object.keys(environment).filter((name) => !(name in EnvironmentSchema.shape));
  const problems = unknown.map((name) => `${name} is no variable of the configuration`);
  try {
    loadConfiguration(environment);
  } catch (error) {
    problems.push((error as Error).message);
  }
  const main = command.find((word) => word.endsWith('main.js'));
  if (command.length > 0 && !/^dist\/apps\/(api|gateway|worker|cli|standalone)\/main\.js$/.test(main ?? '')) {
    problems.push(`runs ${main ?? 'nothing'}`);
  }
  const { SHUTDOWN_TIMEOUT_MS } = EnvironmentSchema.parse({}) as { SHUTDOWN_TIMEOUT_MS: number };
  if (!(Number.parseInt(stop_grace_period ?? '10', 10) * 1_000 > SHUTDOWN_TIMEOUT_MS)) {
    problems.push('is killed before it may have stopped in order');
  }
  if (!healthcheck?.disable && !healthcheck?.test?.join(' ').includes('/health/')) problems.push('has no health check');
  return problems;
}
