import { resolve } from 'node:path';
import { adapterContradictions } from './adapter-choice.js';
import { ALL_SETTINGS, EnvironmentSchema, SETTINGS, type AppConfig } from './configuration.js';
import { pushContradictions } from './push-settings.js';
import { securityContradictions } from './security-settings.js';

/** DI token of the parsed configuration. */
export const APP_CONFIG = Symbol('AppConfig');

const SHOWN_VALUE_CHARS_MAX = 60;

/** Lists everything that is wrong with the environment, one line for each variable, without the text of a secret. */
export class ConfigurationError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigurationError';
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment once. A variable that is empty counts as not set, as compose files write them.
 * @throws ConfigurationError that names every variable at fault, not only the first
 */
export function loadConfiguration(environment: Environment): AppConfig {
  const given = givenTexts(environment);
  const parsed = EnvironmentSchema.safeParse(given);
  const wrong = parsed.success ? [] : parsed.error.issues.map((issue) => describeProblem(issue, given));
  const problems = [...wrong, ...contradictions(given)];
  if (!parsed.success || problems.length > 0) throw new ConfigurationError(problems);
  const config = nest(parsed.data);
  return deepFreeze({ ...config, profile: { ...config.profile, dataDir: resolve(config.profile.dataDir) } });
}

/** What is set, and what the profile has by default where that differs from the embedded one. */
function givenTexts(environment: Environment): Record<string, string> {
  const isCluster = environment['PROFILE']?.trim() === 'cluster';
  return Object.fromEntries(
    ALL_SETTINGS.flatMap(({ name, clusterDefault }) => {
      const value = environment[name]?.trim() || (isCluster ? clusterDefault : undefined);
      return value ? [[name, value]] : [];
    }),
  );
}

function describeProblem(issue: { path: PropertyKey[]; message: string }, given: Record<string, string>): string {
  const name = String(issue.path[0]);
  const secret = ALL_SETTINGS.find((setting) => setting.name === name)?.secret ?? true;
  const value = given[name] ?? '';
  const shown = value.length > SHOWN_VALUE_CHARS_MAX ? `${value.slice(0, SHOWN_VALUE_CHARS_MAX)}…` : value;
  return secret ? `${name} ${issue.message}` : `${name} ${issue.message}, not ${JSON.stringify(shown)}`;
}

/** What no single variable shows. */
function contradictions(given: Record<string, string>): string[] {
  const problems: string[] = [];
  const { PORT = '3000', METRICS_PORT } = given;
  if (METRICS_PORT === PORT && PORT !== '0') problems.push('METRICS_PORT must be another port than PORT');
  if (!given.AUTH_EXTERNAL_JWT_SECRET && !given.AUTH_EXTERNAL_JWKS_URL) {
    for (const name of ['AUTH_EXTERNAL_ISSUER', 'AUTH_EXTERNAL_AUDIENCE']) {
      if (given[name]) problems.push(`${name} needs AUTH_EXTERNAL_JWT_SECRET or AUTH_EXTERNAL_JWKS_URL beside it`);
    }
  }
  return [...problems, ...adapterContradictions(given), ...pushContradictions(given), ...securityContradictions(given)];
}

function nest(values: Record<string, unknown>): AppConfig {
  const groups = Object.entries(SETTINGS).map(([group, settings]) => [
    group,
    Object.fromEntries(Object.entries(settings).map(([key, { name }]) => [key, values[name]])),
  ]);
  return Object.fromEntries(groups) as AppConfig;
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
