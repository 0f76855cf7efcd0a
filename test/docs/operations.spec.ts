import { describe, expect, it } from 'vitest';
import { Metrics } from '../../libs/infra/src/telemetry/metrics.js';
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
