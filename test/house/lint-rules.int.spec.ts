import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryPath, TrialRepository } from './trial-repository.js';

/** For each rule that .oxlintrc.json names: where a violation would be, and the violation. */
const violations: Record<string, readonly [path: string, text: string]> = {
  eqeqeq: ['libs/a/eqeqeq.ts', 'export const same = (a: unknown, b: unknown) => a == b;'],
  'no-var': ['libs/a/no-var.ts', 'export var old = 1;'],
  'prefer-const': ['libs/a/prefer-const.ts', 'let fixed = 1;\nexport default fixed;'],
  'no-unused-vars': ['libs/a/no-unused-vars.ts', 'const forgotten = 1;\nexport {};'],
  'no-console': ['libs/a/no-console.ts', 'console.log(1);'],
  'no-explicit-any': ['libs/a/no-explicit-any.ts', 'export let anything: any;'],
  'ban-ts-comment': ['libs/a/ban-ts-comment.ts', '// @ts-ignore\nexport const n: number = "";'],
  'no-floating-promises': [
    'libs/a/no-floating-promises.ts',
    'async function append() {}\nexport function send() {\n  append();\n}',
  ],
  'no-misused-promises': [
    'libs/a/no-misused-promises.ts',
    'async function isOwner() {\n  return true;\n}\nexport const door = isOwner() ? 1 : 2;',
  ],
  'no-misused-spread': [
    'libs/a/no-misused-spread.ts',
    'export const copy = (names: Map<string, string>) => ({ ...names });',
  ],
  'await-thenable': ['libs/a/await-thenable.ts', 'export async function wait() {\n  await 1;\n}'],
  'only-throw-error': ['libs/a/only-throw-error.ts', 'export function fail() {\n  throw "no";\n}'],
  'prefer-node-protocol': ['libs/a/prefer-node-protocol.ts', "import fs from 'fs';\nexport default fs;"],
  'no-focused-tests': [
    'libs/a/no-focused-tests.spec.ts',
    "import { expect, it } from 'vitest';\nit.only('a', () => expect(1).toBe(1));",
  ],
  'no-disabled-tests': [
    'libs/a/no-disabled-tests.spec.ts',
    "import { expect, it } from 'vitest';\nit.skip('a', () => expect(1).toBe(1));",
  ],
  'valid-expect': [
    'libs/a/valid-expect.spec.ts',
    "import { expect, it } from 'vitest';\nit('a', () => {\n  expect(1);\n});",
  ],
  'expect-expect': ['libs/a/expect-expect.spec.ts', "import { it } from 'vitest';\nit('a', () => {});"],
};

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

interface Settings {
  readonly rules: Record<string, unknown>;
  readonly overrides: readonly { readonly rules: Record<string, unknown> }[];
}

describe('each lint rule that the settings name', () => {
  let trial: TrialRepository;
  let found: readonly Diagnostic[] = [];

  beforeAll(() => {
    trial = new TrialRepository('.oxlintrc.json', 'tsconfig.json');
    trial.write(Object.fromEntries(Object.values(violations).map(([path, text]) => [path, `${text}\n`])));
    trial.write({ 'tsconfig.json': readFileSync(repositoryPath('tsconfig.json'), 'utf8').replaceAll('/src/', '/') });
    const { output } = trial.run('oxlint', '--type-aware', '--deny-warnings', '--format', 'json', 'libs');
    found = (JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics;
  });

  afterAll(() => trial.remove());

  it.each(Object.entries(violations))('%s refuses its violation', (rule, [path]) => {
    const codes = found.filter(({ filename }) => filename.endsWith(path)).map(({ code }) => code);
    expect(codes).toContainEqual(expect.stringMatching(new RegExp(`\\(${rule}\\)$`)));
  });

  it('has a violation here', () => {
    const { rules, overrides } = JSON.parse(readFileSync(repositoryPath('.oxlintrc.json'), 'utf8')) as Settings;
    const all = Object.assign({}, rules, ...overrides.map((override) => override.rules)) as Record<string, unknown>;
    const named = Object.keys(all).filter((name) => all[name] !== 'off');
    expect(named.map((name) => name.replace(/^.*\//, '')).toSorted()).toEqual(Object.keys(violations).toSorted());
  });
});
