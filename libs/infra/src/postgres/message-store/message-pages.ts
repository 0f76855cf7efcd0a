import { MESSAGE_COLUMNS } from './message-rows.js';

/** Which messages a page is cut from, and in what order. `$1` to `$3` are the conversation and its first and last seq. */
export interface PageSource {
  name: string;
  where: string;
  orderBy: string;
}

const WITHIN = 'conversation_id = $1 AND seq BETWEEN $2 AND $3';
export const OLDEST_FIRST: PageSource = { name: 'oldest_first', where: WITHIN, orderBy: 'seq' };
export const NEWEST_FIRST: PageSource = { name: 'newest_first', where: WITHIN, orderBy: 'seq DESC' };
/** `$6` is the revision after which it begins. */
export const CHANGES: PageSource = { name: 'changes', where: `${WITHIN} AND changed AND rev > $6`, orderBy: 'rev' };

/** The domain's `textBytes`. Of a text that is stored outside its row only the length is looked at, not the text. */
const TEXT_BYTES = 'octet_length(content) + coalesce(octet_length(media), 0) + coalesce(octet_length(reactions), 0)';

const IS_SHORT = `${TEXT_BYTES} <= $5::bigint`;
const SHORT: Record<string, string> = {
  content: `CASE WHEN ${IS_SHORT} THEN content END`,
  // Most messages have neither, and then nothing is added up again.
  media: `CASE WHEN media IS NOT NULL AND ${IS_SHORT} THEN media END`,
  reactions: `CASE WHEN reactions IS NOT NULL AND ${IS_SHORT} THEN reactions END`,
};
const SHORT_COLUMNS = MESSAGE_COLUMNS.split(',')
  .map((column) => SHORT[column.trim()] ?? column)
  .join(',');

const nextRows = (columns: string, { where, orderBy }: PageSource): string =>
  `SELECT ${columns} FROM message WHERE ${where} ORDER BY ${orderBy} LIMIT $4`;

/** The next `$4` messages; of those with more than `$5` bytes of text the content is null. */
export const shortPageSql = (source: PageSource): string => nextRows(SHORT_COLUMNS, source);

/** Of the next `$4` messages those that fit into `$5` bytes of text, the first one always; and how many there were. */
export const boundedPageSql = (source: PageSource): string => `
  SELECT found, ${MESSAGE_COLUMNS} FROM (
    SELECT *, row_number() OVER so_far AS place, sum(${TEXT_BYTES}) OVER so_far AS bytes, count(*) OVER () AS found
    FROM (${nextRows(MESSAGE_COLUMNS, source)}) AS next_rows
    WINDOW so_far AS (ORDER BY ${source.orderBy} ROWS UNBOUNDED PRECEDING)
  ) AS page
  WHERE bytes <= $5::bigint OR place = 1 ORDER BY place`;
