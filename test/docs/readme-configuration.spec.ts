import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ALL_SETTINGS, SETTINGS } from '../../libs/infra/src/config/configuration.js';
import {
  configurationTable,
  TABLE_BEGIN,
  TABLE_END,
  withConfigurationTable,
} from '../../libs/infra/src/config/configuration-table.js';

const readme = join(import.meta.dirname, '..', '..', 'README.md');

// `npm run docs:config` runs this test with -u, which writes the table.
it("the README's configuration table is the one that the schema makes", async () => {
  await expect(withConfigurationTable(readFileSync(readme, 'utf8'))).toMatchFileSnapshot(readme);
});

it('a row that differs would be found', () => {
  const stale = `before\n${TABLE_BEGIN}\n\n| variable |\n\n${TABLE_END}\nafter\n`;
  const current = withConfigurationTable(stale);
  expect(current).not.toBe(stale);
  expect(current).toMatch(/^before\n/);
  expect(current).toMatch(/\nafter\n$/);
  expect(withConfigurationTable(current)).toBe(current);
  expect(() => withConfigurationTable('no markers')).toThrow(/must hold the lines/);
});

it('the table has a row for each variable', () => {
  for (const { name } of ALL_SETTINGS) expect(configurationTable()).toContain(`| \`${name}\` |`);
});

it('no variable is without effect: something outside the configuration reads it', () => {
  const root = join(import.meta.dirname, '..', '..');
  const sources = globSync('{apps,libs}/**/*.ts', { cwd: root, exclude: (path) => /config|node_modules/.test(path) })
    .filter((path) => !/\.(spec|testing)\.ts$|(^|\/)config\//.test(path))
    .map((path) => readFileSync(join(root, path), 'utf8'))
    .join('\n');
  const unread = Object.entries(SETTINGS).flatMap(([group, settings]) =>
    Object.keys(settings)
      .filter((key) => !new RegExp(`\\b${key}\\b`).test(sources))
      .map((key) => `${group}.${key}`),
  );
  expect(unread).toEqual([]);
});
