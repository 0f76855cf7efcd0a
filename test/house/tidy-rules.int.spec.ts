import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryPath, TrialRepository, type Run } from './trial-repository.js';

const lines = (count: number) => 'void 0;\n'.repeat(count);
const functionOf = (count: number) => `export function long() {\n${lines(count - 2)}}\n`;
const suiteOf = (count: number) => `describe('all', () => {\n${lines(count - 2)}});\n`;
const contractOf = (count: number) => `export function contract() {\n${suiteOf(count - 2)}}\n`;
const testOf = (count: number) => `it('long', () => {\n${lines(count - 2)}});\n`;

/** For each rule of the tidy check: the files that break it, one way each. */
const violations: Record<string, Readonly<Record<string, string>>> = {
  'file-length': { 'libs/domain/src/endless.ts': lines(401) },
  'function-length': {
    'libs/domain/src/winding.ts': functionOf(71),
    'libs/domain/src/arrow.ts': `export const long = () => {\n${lines(69)}};\n`,
    'libs/domain/src/method.ts': `export class A {\n${functionOf(71).replace('export function', '')}}\n`,
    'libs/domain/src/long.spec.ts': testOf(71),
  },
  'no-drawers': {
    'libs/domain/src/utils/text.ts': lines(1),
    'libs/domain/src/helpers.ts': lines(1),
    'apps/api/src/common/text.ts': lines(1),
  },
  'kebab-names': { 'libs/domain/src/PartitionOwner.ts': lines(1) },
  'known-roles': { 'libs/domain/src/send.service.ts': lines(1) },
  'ports-have-suites': { 'libs/domain/src/ports/command-log.port.ts': lines(1) },
  'no-switched-off-tests': {
    'libs/domain/src/only.spec.ts': "it.only('a', () => {});\n",
    'libs/domain/src/skip.spec.ts': "describe.skip('a', () => {});\n",
    'libs/domain/src/each.spec.ts': "it.skip.each([1])('a', () => {});\n",
    'libs/domain/src/ports/log.port.contract.ts': "it.todo('a');\n",
  },
  'no-console-in-libs': { 'libs/infra/src/memory/memory-log.ts': 'export const log = () => console.error(1);\n' },
  'no-registry-host': {
    'package-lock.json': '{ "resolved": "' + 'https://example.org/a.tgz" }\n',
    '.npmrc': 'registry=https://example.org/\n',
    'docs/install.md': 'Packages come from ' + 'registry.' + 'example.org.\n',
  },
};

/** Just inside every limit, and everything that only looks like a breach. */
const sound = {
  'libs/domain/src/full.ts': lines(400),
  'libs/domain/src/straight.ts': functionOf(70),
  'libs/domain/src/partition-owner.ts': lines(1),
  'libs/domain/src/conversation.decider.ts': lines(1),
  'libs/domain/src/ports/command-log.port.ts': lines(1),
  'libs/domain/src/ports/command-log.port.contract.ts': contractOf(90),
  'libs/domain/src/suite.int.spec.ts': suiteOf(90),
  'libs/domain/src/matching.ts': 'export const it = { only: 1 };\nexport const x = it.only;\n',
  'apps/standalone/src/main.ts': 'console.log(1);\n',
  'package-lock.json': '{}\n',
  'docs/ports.md': 'Whoever is connected stands in `libs/domain/src/ports/session-registry.port.ts`.\n',
};

describe('each tidy rule', () => {
  const trials: TrialRepository[] = [];

  function tidy(files: Readonly<Record<string, string>>): Run {
    const trial = new TrialRepository();
    trials.push(trial);
    trial.write(files);
    return trial.run('node', repositoryPath('scripts', 'tidy.mjs'), trial.folder);
  }

  let found: Run;
  beforeAll(() => {
    found = tidy(Object.assign({}, ...Object.values(violations)) as Record<string, string>);
  });
  afterAll(() => trials.forEach((trial) => trial.remove()));

  const each = Object.entries(violations).flatMap(([rule, files]) => Object.keys(files).map((path) => [rule, path]));

  it.each(each)('%s refuses %s', (rule = '', path = '') => {
    const breaches = found.output.split('\n').filter((line) => line.startsWith(path));
    expect(breaches.map((line) => line.split(/\s+/)[1])).toContain(rule);
    expect(found.code).toBe(1);
  });

  it('has a violation here', () => {
    const script = readFileSync(repositoryPath('scripts', 'tidy.mjs'), 'utf8');
    const rules = [...script.matchAll(/report\([^']*?'([a-z-]+)'/g)].map((match) => match[1]!);
    expect([...new Set(rules)].toSorted()).toEqual(Object.keys(violations).toSorted());
  });

  it('lets pass what is just inside', () => {
    expect(tidy(sound)).toEqual({ code: 0, output: expect.stringContaining(', 0 breaches') as string });
  });
});
