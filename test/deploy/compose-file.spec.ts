import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { repositoryPath } from '../house/trial-repository.js';
import { problemsOfCompose, readComposeFile, readEnvironmentFile } from './compose-checks.js';

const read = (path: string): string => readFileSync(repositoryPath(path), 'utf8');
const text = read('docker-compose.cluster.yml');
const example = readEnvironmentFile(read('deploy/compose/cluster.env.example'));
const secrets = Object.keys(example).filter((name) => example[name] === '');
const given = { ...example, ...Object.fromEntries(secrets.map((name) => [name, 'a-secret-of-sixteen-and-more'])) };
const file = readComposeFile(text, given);

describe('docker-compose.cluster.yml', () => {
  it('fits the specification, the configuration, and what every service needs', () => {
    expect(problemsOfCompose(text, given)).toEqual([]);
    expect(problemsOfCompose(read('docker-compose.yml'), {})).toEqual([]);
  });

  it('holds no secret: without an environment file nothing starts', () => {
    expect(secrets.toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'AUTH_JWT_SECRET',
      'POSTGRES_PASSWORD',
      'REDIS_PASSWORD',
    ]);
    const problems = problemsOfCompose(text, example);
    for (const name of secrets) expect(problems).toContain(`${name} has no value`);
  });

  it('has every part twice that clients would miss, and every engine', () => {
    const { services } = file;
    const running = Object.entries(services).flatMap(([, { command, deploy }]) => {
      const main = command?.find((word) => word.endsWith('main.js'));
      return main ? Array.from({ length: deploy?.replicas ?? 1 }, () => main.split('/')[2]) : [];
    });
    expect(running.sort((a, b) => (a! < b! ? -1 : 1))).toEqual([
      'api',
      'api',
      'cli',
      'gateway',
      'gateway',
      'worker',
      'worker',
    ]);
    expect(Object.keys(services)).toEqual(
      expect.arrayContaining(['migrate', 'load-balancer', 'postgres', 'kafka', 'cassandra', 'redis']),
    );
    expect(services['migrate']?.command).toContain('migrate');
  });

  it('keeps on a volume what must outlive a container, and nothing of Redis', () => {
    for (const name of ['postgres', 'kafka', 'cassandra']) {
      expect(file.services[name]?.volumes, name).toEqual([expect.stringMatching(new RegExp(`^${name}-data:/`))]);
    }
    expect(file.services['redis']?.volumes).toBeUndefined();
  });

  it('has Cassandra synchronise its commit log before it acknowledges', () => {
    expect(text).toContain('s/^commitlog_sync: .*/commitlog_sync: batch/');
  });

  it('tells for each gateway an address at which the load balancer listens', () => {
    const balancer = read('deploy/compose/haproxy.cfg');
    const { ports = [] } = file.services['load-balancer']!;
    for (const name of ['gateway-1', 'gateway-2']) {
      const { port } = new URL(file.services[name]?.environment?.['GATEWAY_URL'] ?? '');
      expect(ports).toContain(`127.0.0.1:${port}:${port}`);
      expect(balancer).toMatch(new RegExp(`bind :${port}\\n +default_backend ${name}\\n`));
      expect(balancer).toContain(`server ${name} ${name}:3000`);
    }
  });

  it.each([
    ['an unknown variable', ['REDIS_URL:', 'REDIS_URI:'], 'REDIS_URI is no variable of the configuration'],
    ['a value that is refused', ["METRICS_PORT: '9400'", "METRICS_PORT: '3000'"], 'METRICS_PORT must be another port'],
    ['a key that Compose does not know', ['stop_grace_period: 45s', 'stop_grace: 45s'], 'additional properties'],
    ['too short a time to stop', ['stop_grace_period: 45s', 'stop_grace_period: 30s'], 'is killed before'],
    ['a service that is not there', ['kafka:\n        condition', 'kafca:\n        condition'], 'waits for kafca'],
    ['a port for everybody', ["'127.0.0.1:3000:3000'", "'3000:3000'"], 'opens port 3000:3000 to the network'],
    ['a process that was not built', ['apps/worker/main.js', 'apps/workers/main.js'], 'runs dist/apps/workers/main.js'],
    [
      'a variable that the example lacks',
      ['${PUBLIC_URL:-', '${PUBLIC_ADDRESS:-'],
      'PUBLIC_ADDRESS is in no environment',
    ],
    ['an image without a version', ['redis:7.2-alpine', 'redis'], 'the image redis has no version'],
    ['a volume that nobody declares', ['- kafka-data:', '- kafka-date:'], 'the volume kafka-date is not declared'],
  ])('would be refused with %s', (_what, [from = '', to = ''], problem) => {
    expect(text).toContain(from);
    expect(problemsOfCompose(text.replaceAll(from, to), given).join('\n')).toContain(problem);
  });
});
