/** A parameter that stands for a column of a batch: its SQL type (`uuid[]`) and the encoded array. */
export interface Column {
  name: string;
  type: string;
  value: Buffer;
}

/** One part of a batch's statement: a data-modifying CTE over parallel arrays. */
export interface Fragment {
  /** Name of the CTE. */
  name: string;
  /** How many rows the arrays hold. */
  rows: number;
  columns: Column[];
  /** The CTE's text around its rows: `rows` is a subquery called `u`. */
  sql: (rows: string) => string;
}

export interface Statement {
  text: string;
  values: Buffer[];
}

/**
 * The arrays as rows, by subscript. `unnest` of fifteen arrays fills fifteen tuple stores of 16 KiB before the first row
 * is seen: over a batch's seven parts those took more time than its few rows (measured: 1.4 ms of each commit).
 * Subscripts into arrays of texts are found by walking, which stays cheap below some thousand rows.
 */
function rowsOf({ columns }: Fragment, first: number): string {
  const parameters = columns.map(({ name, type }, index) => `($${first + 1 + index}::${type})[i] AS ${name}`);
  return `(SELECT ${parameters.join(', ')} FROM generate_series(1, $${first}::int4) AS i) AS u`;
}

function int4Bytes(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/**
 * Joins fragments to one statement, `WITH a AS (…), b AS (…) <tail>`: one round trip and one transaction for all of
 * them. The text depends only on which fragments there are, so the server can keep its plan under a name.
 */
export function statementOf(fragments: readonly Fragment[], tail: string): Statement {
  return { text: statementText(fragments, tail), values: statementValues(fragments) };
}

export function statementText(fragments: readonly Fragment[], tail: string): string {
  let first = 1;
  const parts = fragments.map((fragment) => {
    const rows = rowsOf(fragment, first);
    first += 1 + fragment.columns.length;
    return `${fragment.name} AS (${fragment.sql(rows)})`;
  });
  return `WITH ${parts.join(',\n')}\n${tail}`;
}

export function statementValues(fragments: readonly Fragment[]): Buffer[] {
  const values: Buffer[] = [];
  for (const { rows, columns } of fragments) {
    values.push(int4Bytes(rows));
    for (const { value } of columns) values.push(value);
  }
  return values;
}
