import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryPath, TrialRepository } from './trial-repository.js';

const index = 'export const marker = 1;\n';
const imports = (from: string) => `import * as it from '${from}';\nexport const used = it;\n`;

/** Files that break nothing, for the violations to point at. */
const sound = {
  'libs/contracts/src/index.ts': index,
  'libs/domain/src/index.ts': imports('@parley/contracts'),
  'libs/infra/src/index.ts': imports('@parley/domain'),
  'libs/infra/src/memory/memory-clock.ts': imports('../config/configuration.js'),
  'libs/infra/src/config/configuration.ts': imports('zod'),
  'libs/domain/src/clock.spec.ts': imports('./index.js'),
  'apps/gateway/src/gateway.module.ts': imports('@parley/infra'),
  'apps/api/src/api.module.ts': imports('@parley/infra'),
  'apps/standalone/src/main.ts': imports('../../api/src/api.module.js'),
  'libs/infra/src/memory/memory-clock.int.spec.ts': imports('./memory-clock.js'),
  'packages/sdk/src/client.ts': imports('@parley/contracts'),
  'packages/sdk/src/index.ts': imports('./client.js'),
  'apps/web/src/main.tsx': imports('@parley/sdk'),
  'apps/web/src/app.tsx': imports('react-virtuoso'),
};

/** For each rule: the file that breaks it and what is in that file. */
const violations: Record<string, readonly [path: string, text: string]> = {
  'no-unresolvable': ['libs/domain/src/lost.ts', imports('@parley/domian')],
  'no-circular': ['libs/domain/src/snake.ts', imports('./tail.js')],
  'no-orphans': ['libs/domain/src/alone.ts', index],
  'contracts-import-nothing-of-ours': ['libs/contracts/src/upwards.ts', imports('@parley/domain')],
  'contracts-know-only-zod': ['libs/contracts/src/packaged.ts', imports('rxjs')],
  'domain-imports-only-contracts': ['libs/domain/src/outwards.ts', imports('@parley/infra')],
  'domain-knows-no-engine': ['libs/domain/src/stored.ts', imports('socket.io')],
  'domain-does-no-io': ['libs/domain/src/reading.ts', imports('node:fs/promises')],
  'infra-knows-no-application': ['libs/infra/src/memory/app.ts', imports('../../../../apps/api/src/api.module.js')],
  'engines-do-not-meet': ['libs/infra/src/postgres/postgres-clock.ts', imports('../memory/memory-clock.js')],
  'doors-import-no-infra': ['apps/api/src/me.controller.ts', imports('@parley/infra')],
  'applications-do-not-meet': ['apps/api/src/neighbour.ts', imports('../../gateway/src/gateway.module.js')],
  'sdk-imports-only-contracts': ['packages/sdk/src/deep.ts', imports('@parley/domain')],
  'web-imports-only-the-sdk': ['apps/web/src/inside.ts', imports('../../../packages/sdk/src/client.js')],
  'tests-stay-out-of-what-ships': ['libs/domain/src/tested.ts', imports('./clock.spec.js')],
  'ships-without-development-packages': ['libs/infra/src/memory/checked.ts', imports('fast-check')],
};

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

describe('each dependency rule', () => {
  const trials: TrialRepository[] = [];

  function cruise(files: Record<string, string>): readonly Violation[] {
    const trial = new TrialRepository('.dependency-cruiser.cjs', 'tsconfig.json', 'package.json');
    trials.push(trial);
    trial.write(files);
    const args = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'apps', 'libs', 'packages'];
    const { output } = trial.run('depcruise', ...args);
    return (JSON.parse(output) as { summary: { violations: Violation[] } }).summary.violations;
  }

  let found: readonly Violation[] = [];
  beforeAll(() => {
    const broken = Object.fromEntries(Object.values(violations));
    found = cruise({ ...sound, ...broken, 'libs/domain/src/tail.ts': imports('./snake.js') });
  });
  afterAll(() => trials.forEach((trial) => trial.remove()));

  it.each(Object.entries(violations))('%s refuses its violation', (rule, [path]) => {
    expect(found.filter(({ from }) => from === path).map((violation) => violation.rule.name)).toContain(rule);
  });

  it('has a violation here', () => {
    const load = createRequire(import.meta.url);
    const { forbidden } = load(repositoryPath('.dependency-cruiser.cjs')) as { forbidden: { name: string }[] };
    expect(forbidden.map(({ name }) => name).toSorted()).toEqual(Object.keys(violations).toSorted());
  });

  it('domain-knows-no-engine refuses every engine that this product runs on', () => {
    const engines = ['pg', 'typeorm', 'socket.io', 'fastify', '@nestjs/core', '@node-rs/argon2', 'jose', 'pino'];
    const pathOf = (name: string) => `libs/domain/src/on-${name.replaceAll(/\W/g, '-')}.ts`;
    const broken = Object.fromEntries(engines.map((name) => [pathOf(name), imports(name)]));
    const refused = cruise({ ...sound, ...broken }).filter(({ rule }) => rule.name === 'domain-knows-no-engine');
    expect(refused.map(({ from }) => from).toSorted()).toEqual(engines.map(pathOf).toSorted());
  });

  it('lets pass what keeps to the directions', () => {
    expect(cruise(sound)).toEqual([]);
  });
});
