import { existsSync } from 'node:fs';
import { loadConfiguration } from '@parley/infra/config';
import { describe, expect, it } from 'vitest';
import { Metrics } from '../../libs/infra/src/telemetry/metrics.js';
import { repositoryPath } from '../house/trial-repository.js';
import { codeWordsOf, document } from './documents.js';

const page = document('docs/operations.md');
const figures = page.text.slice(page.text.indexOf('## Figures'), page.text.indexOf('## Alerts'));
const named = codeWordsOf({ ...page, text: figures }).filter((word) => /^[a-z]+(_[a-z0-9*]+)+$/.test(word));

describe('the figures in docs/operations.md', () => {
  it('are those that the server has, and none of its own is left out', async () => {
    const own = [...(await new Metrics().text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
    expect(own.length).toBeGreaterThan(10);
    expect(own.filter((name) => !named.includes(name))).toEqual([]);
  });

  it('are all there, those of the process too', async () => {
    const all = await new Metrics().withProcessFigures().text();
    const unknown = named.filter((name) => !all.includes(`# TYPE ${name.replace('*', '')}`));
    expect(unknown).toEqual([]);
  });
});

describe('the service in docs/operations.md', () => {
  const unit = page.text.slice(page.text.indexOf('```ini'), page.text.indexOf('WantedBy='));
  const valueOf = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

  it('starts the server by what is there, without anything in between that signals would have to pass', () => {
    const [program, script] = valueOf('ExecStart')!.split(' ');
    expect(program).toBe(`${valueOf('WorkingDirectory')}/node_modules/.bin/node`);
    expect(existsSync(repositoryPath(script!))).toBe(true);
  });

  it('gives a stop its time, and leaves the database server to the server', () => {
    const { timeoutMs } = loadConfiguration({}).shutdown;
    expect(Number(valueOf('TimeoutStopSec')) * 1_000).toBeGreaterThan(timeoutMs);
    expect(valueOf('KillMode')).toBe('mixed');
  });

  it('keeps its data where systemd makes the folder for it', () => {
    expect(valueOf('Environment')).toBe(`DATA_DIR=/var/lib/${valueOf('StateDirectory')}`);
  });
});
