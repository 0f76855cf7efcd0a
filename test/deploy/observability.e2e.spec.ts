import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { TestApp } from '../clients/test-app.js';
import { repositoryPath } from '../house/trial-repository.js';
import { labelsOf, metricNamesOf } from './promql-names.js';

const read = (path: string): string => readFileSync(repositoryPath(path), 'utf8');

const Rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Parley[A-Z][A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[sm]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
          annotations: z.strictObject({ summary: z.string().min(10) }),
        }),
      ),
    }),
  ),
});
const Dashboard = z.looseObject({
  uid: z.string(),
  schemaVersion: z.int(),
  panels: z.array(
    z.looseObject({
      id: z.int(),
      type: z.enum(['row', 'timeseries', 'state-timeline']),
      title: z.string(),
      gridPos: z.strictObject({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(1) }),
      targets: z.array(z.looseObject({ refId: z.string(), expr: z.string() })).optional(),
    }),
  ),
});

const alerts = Rules.parse(parse(read('deploy/observability/alerts.yaml'))).groups.flatMap(({ rules }) => rules);
const dashboard = Dashboard.parse(JSON.parse(read('deploy/observability/dashboard.json')));
const drawn = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const expressions = [...alerts.map(({ expr }) => expr), ...drawn];
/** Prometheus makes it itself, with the labels that every figure of a target gets. */
const OF_PROMETHEUS = { metrics: ['up'], labels: ['job', 'instance'] };

describe('alerts and dashboard', () => {
  let app: TestApp;
  let figures: string;
  beforeAll(async () => {
    app = await TestApp.start();
    const [ada, bob] = await app.someUsers('Ada', 'Bob');
    const { conversationId } = await ada!.direct(bob!);
    const socket = await bob!.connect();
    await ada!.send(conversationId, 'hello');
    await socket.ask('heartbeat', { active: true });
    figures = await (await fetch(`${app.url}/metrics`)).text();
  });
  afterAll(async () => app.stop());

  /** What is asked for and is not there. */
  function unknownIn(expression: string): string[] {
    const declared = new Set(
      [...figures.matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(([, name = '', type = '']) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    const names = metricNamesOf(expression).filter((name) => !OF_PROMETHEUS.metrics.includes(name));
    return names.filter((name) => !declared.has(name));
  }

  it('read only figures that a running server shows', () => {
    expect(expressions.length).toBeGreaterThan(40);
    expect(expressions.flatMap(unknownIn)).toEqual([]);
  });

  it('would be refused with a figure that nobody has', () => {
    expect(unknownIn('sum(rate(messages_lost_total{job="parley"}[5m])) > 0')).toEqual(['messages_lost_total']);
    expect(unknownIn('histogram_quantile(0.9, sum by (le) (rate(commit_duration_ms[5m])))')).toEqual([
      'commit_duration_ms',
    ]);
    expect(unknownIn('min by (part) (health_part_up{part="messages_lost_total"}) == 0')).toEqual([]);
  });

  it('select and group by labels that these figures have', () => {
    const known = new Set([...figures.matchAll(/[{,](\w+)="/g)].map(([, name = '']) => name));
    // Of figures that show nothing before there is something: handlers run by name, refusals by code.
    for (const name of ['handler', 'outcome', 'code', 'limit', 'what']) known.add(name);
    const labels = new Set(expressions.flatMap(labelsOf));
    expect([...labels].filter((name) => !known.has(name) && !OF_PROMETHEUS.labels.includes(name))).toEqual([]);
    expect(labelsOf('sum by (colour) (up{part=~"a|b"})')).toEqual(['part', 'colour']);
  });

  it('notice by the running server’s figures that all is well', () => {
    expect(figures).toMatch(/^health_part_up\{part="process"\} 1$/m);
    const owned = [...figures.matchAll(/^partition_owner_state\{.*\} 1$/gm)].length;
    expect(figures).toContain(`command_log_partitions ${owned}`);
    expect(figures).toMatch(/^messages_sent_total 1$/m);
  });

  it('are each explained in docs/operations.md, and nothing else is', () => {
    const page = read('docs/operations.md');
    const explained = [...page.matchAll(/^\| `(Parley[A-Za-z]+)` \|/gm)].map(([, name]) => name);
    expect(explained).toEqual(alerts.map(({ alert }) => alert));
  });

  it('draws each panel once, at a place of its own', () => {
    const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x},${y}`);
    expect(new Set(places).size).toBe(places.length);
    for (const { gridPos } of dashboard.panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});
