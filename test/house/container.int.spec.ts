import { existsSync, readFileSync } from 'node:fs';
import { EnvironmentSchema } from '../../libs/infra/src/config/configuration.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { repositoryPath } from './trial-repository.js';

interface Service {
  readonly environment: Record<string, string>;
  readonly volumes: readonly string[];
  readonly stop_grace_period: string;
  readonly healthcheck: { readonly test: readonly string[] };
  readonly deploy: { readonly resources: { readonly limits: Record<string, string> } };
}

const compose = parse(readFileSync(repositoryPath('docker-compose.yml'), 'utf8')) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const dockerfile = readFileSync(repositoryPath('Dockerfile'), 'utf8');
/** Continued lines joined, comments dropped: one instruction in a row. */
const instructions = dockerfile
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line));
const lastStage = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

const settings: Readonly<Record<string, unknown>> = EnvironmentSchema.shape;
const ofNode = new Set(['NODE_ENV', 'NODE_COMPILE_CACHE', 'NODE_OPTIONS']);
const unknownOf = (names: readonly string[]) => names.filter((name) => !(name in settings) && !ofNode.has(name));

describe('the compose file', () => {
  const service = compose.services['parley']!;

  it('sets only what the configuration knows, to values it takes', () => {
    expect(unknownOf(Object.keys(service.environment))).toEqual([]);
    expect(EnvironmentSchema.safeParse(service.environment)).toMatchObject({ success: true });
  });

  it('keeps DATA_DIR on a named volume', () => {
    const [volume, folder] = service.volumes[0]!.split(':');
    expect(folder).toBe(service.environment['DATA_DIR']);
    expect(Object.keys(compose.volumes)).toContain(volume);
  });

  it('waits longer for a stop than the server may take for one', () => {
    const defaults = EnvironmentSchema.parse({}) as { SHUTDOWN_TIMEOUT_MS: number };
    expect(Number.parseInt(service.stop_grace_period, 10) * 1_000).toBeGreaterThan(defaults.SHUTDOWN_TIMEOUT_MS);
  });

  it('checks health and bounds memory and processors', () => {
    expect(service.healthcheck.test.join(' ')).toContain('/health/live');
    expect(service.deploy.resources.limits).toEqual({ cpus: expect.any(String), memory: expect.any(String) });
  });
});

describe('the image', () => {
  it('does not run as root', () => {
    expect(lastStage.findLast((line) => line.startsWith('USER '))).toBe('USER node');
  });

  it('checks its health without a tool that the image lacks', () => {
    const check = lastStage.find((line) => line.startsWith('HEALTHCHECK '));
    expect(check).toContain('CMD ["node"');
    expect(check).toContain('/health/live');
  });

  it('sets only what the configuration or Node knows', () => {
    const names = lastStage
      .filter((line) => line.startsWith('ENV '))
      .flatMap((line) => [...line.matchAll(/(\w+)=/g)].map((match) => match[1]!));
    expect(names).toContain('DATA_DIR');
    expect(unknownOf(names)).toEqual([]);
  });

  it('copies nothing that the repository lacks or the ignore file hides', () => {
    const ignored = readFileSync(repositoryPath('.dockerignore'), 'utf8').split('\n').filter(Boolean);
    const copied = instructions
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    expect(copied).toContain('package-lock.json');
    expect(copied.filter((name) => ignored.includes(name))).toEqual([]);
    for (const name of copied) expect(existsSync(repositoryPath(name)), name).toBe(true);
  });
});
