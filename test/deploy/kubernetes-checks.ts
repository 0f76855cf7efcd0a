import { parseAllDocuments } from 'yaml';
import { EnvironmentSchema } from '../../libs/infra/src/config/configuration.js';
import { loadConfiguration } from '../../libs/infra/src/config/load-configuration.js';
import { type Deployment, KubernetesObject, KustomizationShape, type PodTemplate } from './kubernetes-shapes.js';

/** What the Secret holds that the administrator makes. */
const SECRETS = {
  AUTH_JWT_SECRET: 'a-secret-of-sixteen-and-more',
  DATABASE_URL: 'postgres://parley:secret@postgres/parley?sslmode=verify-full',
  REDIS_URL: 'rediss://:secret@redis:6380',
  S3_ACCESS_KEY_ID: 'id',
  S3_SECRET_ACCESS_KEY: 'secret',
};
const MAIN = /^dist\/apps\/(api|gateway|worker|cli)\/main\.js$/;

/** The objects of a base, and what is wrong with it, as sentences. `read` gives a file's text, null where there is none. */
export function checkBase(read: (file: string) => string | null): { objects: KubernetesObject[]; problems: string[] } {
  const problems: string[] = [];
  const objects: KubernetesObject[] = [];
  const kustomization = KustomizationShape.parse(parseAllDocuments(read('kustomization.yaml') ?? '')[0]?.toJS());
  for (const file of kustomization.resources) {
    const text = read(file);
    if (text === null) problems.push(`${file} is not there`);
    for (const document of parseAllDocuments(text ?? '', { uniqueKeys: true })) {
      for (const error of document.errors) problems.push(`${file}: ${error.message}`);
      const parsed = KubernetesObject.safeParse(document.toJS());
      if (parsed.success) objects.push(parsed.data);
      else for (const { path, message } of parsed.error.issues) problems.push(`${file}: ${path.join('.')}: ${message}`);
    }
  }
  for (const each of objects) problems.push(...problemsOf(each, objects));
  return { objects, problems };
}

function problemsOf(each: KubernetesObject, all: readonly KubernetesObject[]): string[] {
  const { kind } = each;
  const { name } = each.metadata;
  switch (kind) {
    case 'Deployment':
      return [...problemsOfPods(each.spec.template, all), ...problemsOfDeployment(each, all)].map(
        (problem) => `${name}: ${problem}`,
      );
    case 'Job':
      return problemsOfPods(each.spec.template, all).map((problem) => `${name}: ${problem}`);
    case 'Service':
      return podsOf(each.spec.selector, all).length > 0 ? [] : [`${kind} ${name} selects no pods`];
    case 'PodDisruptionBudget':
      return podsOf(each.spec.selector.matchLabels, all).length > 0 ? [] : [`${kind} ${name} selects no pods`];
    case 'HorizontalPodAutoscaler':
      return all.some((other) => other.kind === 'Deployment' && other.metadata.name === each.spec.scaleTargetRef.name)
        ? []
        : [`${kind} ${name} scales nothing`];
    case 'Ingress':
      return each.spec.rules
        .flatMap(({ http }) => http.paths.map(({ backend }) => backend.service.name))
        .filter((service) => !all.some((other) => other.kind === 'Service' && other.metadata.name === service))
        .map((service) => `${kind} ${name} leads to ${service}, which is not there`);
    default:
      return [];
  }
}

function podsOf(labels: Readonly<Record<string, string>>, all: readonly KubernetesObject[]): Deployment[] {
  return all.filter((each): each is Deployment => {
    if (each.kind !== 'Deployment') return false;
    const own = each.spec.template.metadata.labels ?? {};
    return Object.entries(labels).every(([label, value]) => own[label] === value);
  });
}

function problemsOfPods({ spec }: PodTemplate, all: readonly KubernetesObject[]): string[] {
  const problems: string[] = [];
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  for (const { command = [], env = [], envFrom = [], volumeMounts = [] } of spec.containers) {
    if (!command.some((word) => MAIN.test(word))) problems.push(`runs ${command.join(' ')}`);
    for (const { name } of volumeMounts) if (!volumes.has(name)) problems.push(`mounts ${name}, which is not there`);
    const maps = envFrom.flatMap(({ configMapRef }) => {
      const found = all.find((each) => each.kind === 'ConfigMap' && each.metadata.name === configMapRef?.name);
      return found?.kind === 'ConfigMap' ? [found.data] : [];
    });
    const own = Object.fromEntries(env.map(({ name, value }) => [name, value]));
    const environment: Record<string, string> = { ...Object.assign({}, ...maps), ...SECRETS, ...own };
    for (const name of Object.keys(environment)) {
      if (!(name in EnvironmentSchema.shape)) problems.push(`${name} is no variable of the configuration`);
    }
    try {
      loadConfiguration(environment);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return problems;
}

/** Of something that runs all the time. */
function problemsOfDeployment({ metadata, spec }: Deployment, all: readonly KubernetesObject[]): string[] {
  const problems: string[] = [];
  const { spec: pod, metadata: template } = spec.template;
  const labels = template.labels ?? {};
  if (podsOf(spec.selector.matchLabels, all).length !== 1)
    problems.push('its selector does not mean its own pods alone');
  for (const { ports = [], startupProbe, readinessProbe, livenessProbe, lifecycle } of pod.containers) {
    const named = new Set(ports.map(({ name }) => name));
    const probes = [startupProbe, readinessProbe, livenessProbe];
    for (const probe of probes) {
      if (!probe) problems.push('lacks one of its three probes');
      else if (typeof probe.httpGet.port === 'string' && !named.has(probe.httpGet.port)) {
        problems.push(`asks port ${probe.httpGet.port}, which it has not`);
      }
    }
    if (readinessProbe?.httpGet.path !== '/health/ready') problems.push('is not asked whether it is ready');
    const pauseMs = (lifecycle?.preStop.sleep.seconds ?? 0) * 1_000;
    if (pauseMs === 0) problems.push('is stopped while proxies still send to it');
    const { SHUTDOWN_TIMEOUT_MS } = EnvironmentSchema.parse({}) as { SHUTDOWN_TIMEOUT_MS: number };
    if (!((pod.terminationGracePeriodSeconds ?? 30) * 1_000 > pauseMs + SHUTDOWN_TIMEOUT_MS)) {
      problems.push('is killed before it may have stopped in order');
    }
  }
  const budget = all.some(
    (each) =>
      each.kind === 'PodDisruptionBudget' &&
      Object.entries(each.spec.selector.matchLabels).every(([label, value]) => labels[label] === value),
  );
  if (!budget) problems.push('has no disruption budget');
  const scaled = all.some(
    (each) => each.kind === 'HorizontalPodAutoscaler' && each.spec.scaleTargetRef.name === metadata.name,
  );
  if (!scaled) problems.push('has no autoscaler');
  return problems;
}
