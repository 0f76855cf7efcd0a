import { z } from 'zod';

// The parts of Kubernetes' objects that are used here, so strict that a misspelt field is refused, as a server with
// `--validate=strict` would. Shapes by the reference of Kubernetes 1.34.

const name = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/);
const texts = z.record(z.string(), z.string());
const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi)?$/);
const seconds = z.int().min(0);
const port = z.int().min(1).max(65_535);

const metadata = z.strictObject({
  name,
  namespace: name.optional(),
  labels: texts.optional(),
  annotations: texts.optional(),
});
const selector = z.strictObject({ matchLabels: texts });

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port: z.union([name, port]) }),
  periodSeconds: seconds.optional(),
  timeoutSeconds: seconds.optional(),
  failureThreshold: z.int().min(1).optional(),
  initialDelaySeconds: seconds.optional(),
});

const container = z.strictObject({
  name,
  image: z.string(),
  command: z.array(z.string()).optional(),
  envFrom: z
    .array(
      z.strictObject({
        configMapRef: z.strictObject({ name }).optional(),
        secretRef: z.strictObject({ name }).optional(),
      }),
    )
    .optional(),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).optional(),
  ports: z.array(z.strictObject({ name, containerPort: port })).optional(),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  lifecycle: z.strictObject({ preStop: z.strictObject({ sleep: z.strictObject({ seconds }) }) }).optional(),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity }),
    limits: z.strictObject({ memory: quantity, cpu: quantity.optional() }),
  }),
  volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith('/') })).optional(),
});

const podTemplate = z.strictObject({
  metadata: metadata.omit({ name: true }),
  spec: z.strictObject({
    terminationGracePeriodSeconds: seconds.optional(),
    restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).optional(),
    automountServiceAccountToken: z.literal(false),
    securityContext: z.strictObject({
      runAsNonRoot: z.literal(true),
      runAsUser: z.int().min(1),
      fsGroup: z.int().min(1),
      seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
    }),
    topologySpreadConstraints: z
      .array(
        z.strictObject({
          maxSkew: z.int().min(1),
          topologyKey: z.string(),
          whenUnsatisfiable: z.enum(['ScheduleAnyway', 'DoNotSchedule']),
          labelSelector: selector,
        }),
      )
      .optional(),
    containers: z.array(container).min(1),
    volumes: z.array(z.strictObject({ name, emptyDir: z.strictObject({}) })).optional(),
  }),
});

const object = <const Version extends string, const Kind extends string, Shape extends z.ZodRawShape>(
  apiVersion: Version,
  kind: Kind,
  shape: Shape,
) => z.strictObject({ apiVersion: z.literal(apiVersion), kind: z.literal(kind), metadata, ...shape });

const metric = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('Resource'),
    resource: z.strictObject({
      name: z.enum(['cpu', 'memory']),
      target: z.strictObject({ type: z.literal('Utilization'), averageUtilization: z.int().min(1).max(100) }),
    }),
  }),
  z.strictObject({
    type: z.literal('Pods'),
    pods: z.strictObject({
      metric: z.strictObject({ name: z.string() }),
      target: z.strictObject({ type: z.literal('AverageValue'), averageValue: quantity }),
    }),
  }),
]);

export const DeploymentShape = object('apps/v1', 'Deployment', {
  spec: z.strictObject({
    replicas: z.int().optional(),
    selector,
    strategy: z.strictObject({
      type: z.literal('RollingUpdate'),
      rollingUpdate: z.strictObject({ maxSurge: z.int(), maxUnavailable: z.int() }),
    }),
    template: podTemplate,
  }),
});

export const KubernetesObject = z.discriminatedUnion('kind', [
  object('v1', 'Namespace', {}),
  object('v1', 'ConfigMap', { data: texts }),
  object('v1', 'Service', {
    spec: z.strictObject({
      selector: texts,
      ports: z.array(z.strictObject({ name, port, targetPort: z.union([name, port]) })),
    }),
  }),
  DeploymentShape,
  object('batch/v1', 'Job', {
    spec: z.strictObject({
      backoffLimit: z.int().min(0),
      ttlSecondsAfterFinished: seconds,
      template: podTemplate,
    }),
  }),
  object('policy/v1', 'PodDisruptionBudget', {
    spec: z.strictObject({ maxUnavailable: z.int().min(0), selector }),
  }),
  object('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({ apiVersion: z.literal('apps/v1'), kind: z.literal('Deployment'), name }),
      minReplicas: z.int().min(1),
      maxReplicas: z.int().min(1),
      metrics: z.array(metric).min(1),
      behavior: z.strictObject({
        scaleDown: z.strictObject({
          stabilizationWindowSeconds: seconds,
          policies: z.array(
            z.strictObject({ type: z.enum(['Pods', 'Percent']), value: z.int().min(1), periodSeconds: seconds }),
          ),
        }),
      }),
    }),
  }),
  object('networking.k8s.io/v1', 'Ingress', {
    spec: z.strictObject({
      ingressClassName: name,
      tls: z.array(z.strictObject({ hosts: z.array(z.string()), secretName: name })),
      rules: z.array(
        z.strictObject({
          host: z.string(),
          http: z.strictObject({
            paths: z.array(
              z.strictObject({
                path: z.string().startsWith('/'),
                pathType: z.enum(['Prefix', 'Exact']),
                backend: z.strictObject({
                  service: z.strictObject({ name, port: z.strictObject({ name }) }),
                }),
              }),
            ),
          }),
        }),
      ),
    }),
  }),
]);

export const KustomizationShape = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  namespace: name,
  resources: z.array(z.string()).min(1),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string().optional(), newTag: z.string() })).optional(),
});

export type KubernetesObject = z.infer<typeof KubernetesObject>;
export type Deployment = z.infer<typeof DeploymentShape>;
export type PodTemplate = z.infer<typeof podTemplate>;
