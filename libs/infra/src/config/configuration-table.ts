import { ALL_SETTINGS } from './configuration.js';
import type { Setting } from './setting.js';

export const TABLE_BEGIN = '<!-- configuration: begin (npm run docs:config writes this table) -->';
export const TABLE_END = '<!-- configuration: end -->';

/** Every variable as a table in Markdown, made from the schema that parses them. */
export function configurationTable(): string {
  const rows = ALL_SETTINGS.map(
    (setting) => `| \`${setting.name}\` | ${defaultsOf(setting)} | ${setting.description.replaceAll('|', '\\|')} |`,
  );
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

function defaultsOf({ shownDefault, clusterDefault }: Setting<unknown>): string {
  const usual = shownDefault === '' ? '' : `\`${shownDefault}\``;
  return clusterDefault === undefined ? usual : `${usual}; cluster: \`${clusterDefault}\``;
}

/**
 * The text with its table brought up to date.
 * @throws Error when the markers are not there
 */
export function withConfigurationTable(markdown: string): string {
  const begin = markdown.indexOf(TABLE_BEGIN);
  const end = markdown.indexOf(TABLE_END);
  if (begin === -1 || end < begin) throw new Error(`The text must hold the lines ${TABLE_BEGIN} and ${TABLE_END}.`);
  return `${markdown.slice(0, begin)}${TABLE_BEGIN}\n\n<!-- prettier-ignore -->\n${configurationTable()}\n\n${markdown.slice(end)}`;
}
