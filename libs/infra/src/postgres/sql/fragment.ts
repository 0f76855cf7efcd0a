import type { Column } from './column.js';
import { ParameterWriter } from './parameter-writer.js';

/** One part of a batch's statement: a data-modifying CTE over parallel arrays. */
export interface Fragment<Row> {
  /** Name of the CTE. */
  name: string;
  columns: readonly Column<Row>[];
  /** The CTE's text around its rows: `rows` is a subquery called `u`. */
  sql: (rows: string) => string;
}

/** A fragment with its rows. The text depends only on the fragment. */
export interface Part {
  readonly rows: number;
  /** How many parameters it takes. */
  readonly parameters: number;
  /** @param first number of its first parameter */
  text: (first: number) => string;
  /** Each parameter with its length before it, as a Bind message holds them. */
  write: (writer: ParameterWriter) => void;
}

export interface Statement {
  text: string;
  values: Buffer[];
}

export function partOf<Row>(fragment: Fragment<Row>, rows: readonly Row[]): Part {
  const { columns } = fragment;
  return {
    rows: rows.length,
    parameters: 1 + columns.length,
    text: (first) => `${fragment.name} AS (${fragment.sql(rowsOf(fragment, first))})`,
    write(writer) {
      writer.int32(4);
      writer.int32(rows.length);
      for (const column of columns) {
        const from = writer.beginLength();
        column.write(writer, rows);
        writer.endLength(from);
      }
    },
  };
}

/**
 * The arrays as rows, by subscript. `unnest` of fifteen arrays fills fifteen tuple stores of 16 KiB before the first row
 * is seen: over a batch's seven parts those took more time than its few rows (measured: 1.4 ms of each commit).
 * Subscripts into arrays of texts are found by walking, which stays cheap below some thousand rows.
 */
function rowsOf<Row>({ columns }: Fragment<Row>, first: number): string {
  const parameters = columns.map(({ name, type }, index) => `($${first + 1 + index}::${type})[i] AS ${name}`);
  return `(SELECT ${parameters.join(', ')} FROM generate_series(1, $${first}::int4) AS i) AS u`;
}

/**
 * Joins parts to one statement, `WITH a AS (…), b AS (…) <tail>`: one round trip and one transaction for all of them.
 * Parts without rows are left out.
 */
export function statementOf(parts: readonly Part[], tail: string): Statement {
  const used = parts.filter(({ rows }) => rows > 0);
  const writer = new ParameterWriter();
  for (const part of used) part.write(writer);
  return { text: statementText(used, tail), values: parametersIn(writer.bytes()) };
}

export function statementText(parts: readonly Part[], tail: string): string {
  let first = 1;
  const texts = parts.map((part) => {
    const text = part.text(first);
    first += part.parameters;
    return text;
  });
  return `WITH ${texts.join(',\n')}\n${tail}`;
}

/** The parameters one by one, for a driver that puts the lengths before them itself. */
function parametersIn(written: Buffer): Buffer[] {
  const parameters: Buffer[] = [];
  for (let at = 0; at < written.length;) {
    const length = written.readInt32BE(at);
    parameters.push(written.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parameters;
}
