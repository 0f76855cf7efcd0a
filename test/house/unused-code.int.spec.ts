import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TrialRepository, type Run } from './trial-repository.js';

const manifest = { name: 'trial', private: true, type: 'module', dependencies: { zod: '*', pg: '*' } };

describe('the check for unused code', () => {
  const trial = new TrialRepository('knip.json', 'tsconfig.json');
  let found: Run;

  beforeAll(() => {
    trial.write({
      'package.json': JSON.stringify(manifest),
      'apps/standalone/src/main.ts':
        "import { z } from 'zod';\nimport 'rxjs';\nimport { used } from '@parley/domain';\nz.string().parse(used);\n",
      'libs/domain/src/index.ts': "export * from './used.js';\n",
      'libs/domain/src/used.ts': 'export const used = 1;\nexport const forgottenExport = 2;\n',
      'libs/domain/src/forgotten-file.ts': 'export const nothing = 1;\n',
    });
    found = trial.run('knip', '--reporter', 'compact');
  });
  afterAll(() => trial.remove());

  /** The lines below "Unused files (1)", up to the next headline. */
  function section(title: string): string {
    const parts = found.output.split(/^(?=[A-Z][a-z]+ .+ ?\(\d+\)$)/m);
    return parts.find((part) => part.startsWith(`${title} (`)) ?? '';
  }

  it('names a file that nothing reaches', () => {
    expect(section('Unused files')).toContain('libs/domain/src/forgotten-file.ts');
    expect(section('Unused files')).not.toContain('libs/domain/src/used.ts');
  });

  it('names an export that nobody imports', () => {
    expect(section('Unused exports')).toContain('forgottenExport');
    expect(section('Unused exports')).not.toMatch(/\bused\b(?!\.ts)/);
  });

  it('names a package that is installed and not used, and one that is used and not installed', () => {
    expect(section('Unused dependencies')).toContain('pg');
    expect(section('Unused dependencies')).not.toContain('zod');
    expect(section('Unlisted dependencies')).toContain('rxjs');
  });

  it('fails', () => {
    expect(found.code).toBe(1);
  });
});
