import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../libs/infra/src/telemetry/metrics.js';
import { repositoryPath } from '../house/trial-repository.js';
import { checkBase } from './kubernetes-checks.js';

function read(file: string): string | null {
  const path = repositoryPath(`deploy/kustomize/base/${file}`);
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

const problemsWith = (change: (text: string, file: string) => string): string[] =>
  checkBase((file) => {
    const text = read(file);
    return text === null ? null : change(text, file);
  }).problems;

describe('deploy/kustomize/base', () => {
  it('fits the shapes of Kubernetes, the configuration, and what each part needs', () => {
    const { objects, problems } = checkBase(read);
    expect(problems).toEqual([]);
    const kinds = objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    for (const name of ['api', 'gateway', 'worker']) {
      for (const kind of ['Deployment', 'PodDisruptionBudget', 'HorizontalPodAutoscaler']) {
        expect(kinds).toContain(`${kind} parley-${name}`);
      }
    }
    expect(kinds).toContain('Job parley-migrate');
  });

  it('scales gateways by a figure that they really have', async () => {
    const { objects } = checkBase(read);
    const figures = objects.flatMap((each) =>
      each.kind === 'HorizontalPodAutoscaler'
        ? each.spec.metrics.flatMap((metric) => (metric.type === 'Pods' ? [metric.pods.metric.name] : []))
        : [],
    );
    expect(figures).toEqual(['websocket_connections']);
    const text = await new Metrics().text();
    for (const name of figures) expect(text).toContain(`# TYPE ${name} gauge`);
  });

  it('has no secret in it', () => {
    const { objects } = checkBase(read);
    expect(objects.filter(({ kind }) => (kind as string) === 'Secret')).toEqual([]);
  });

  it.each([
    ['a misspelt field', 'periodSeconds: 2', 'periodsSeconds: 2', 'Unrecognized key'],
    ['an unknown variable', 'KAFKA_BROKERS:', 'KAFKA_BROKER:', 'KAFKA_BROKER is no variable of the configuration'],
    [
      'too short a time to stop',
      'terminationGracePeriodSeconds: 50',
      'terminationGracePeriodSeconds: 40',
      'is killed before',
    ],
    ['no pause before the stop', 'seconds: 5\n', 'seconds: 0\n', 'is stopped while proxies still send to it'],
    ['root', 'runAsNonRoot: true', 'runAsNonRoot: false', 'runAsNonRoot'],
    ['a readiness that asks for life', 'path: /health/ready', 'path: /health/live', 'is not asked whether it is ready'],
    [
      'a service for other pods',
      'app.kubernetes.io/component: api\n  ports',
      'app.kubernetes.io/component: apis\n  ports',
      'Service parley-api selects no pods',
    ],
    [
      'a path to nowhere',
      'name: parley-gateway\n                port',
      'name: gateway\n                port',
      'leads to gateway, which is not there',
    ],
    [
      'an autoscaler of nothing',
      'kind: Deployment\n    name: parley-worker',
      'kind: Deployment\n    name: worker',
      'scales nothing',
    ],
    [
      'a volume that is not there',
      'name: data\n              mountPath',
      'name: date\n              mountPath',
      'mounts date',
    ],
    ['no disruption budget', 'kind: PodDisruptionBudget', 'kind: Budget', 'has no disruption budget'],
    ['a file that is not there', '- worker.yaml', '- workers.yaml', 'workers.yaml is not there'],
  ])('would be refused with %s', (_what, from, to, problem) => {
    const changed = problemsWith((text) => text.replaceAll(from, to));
    expect(changed.join('\n')).toContain(problem);
  });
});
