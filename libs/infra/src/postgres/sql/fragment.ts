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
  columns: Column[];
  /** The CTE's text around its rows: `rows` is an `unnest(…) AS u(…)`. */
  sql: (rows: string) => string;
}

export interface Statement {
  text: string;
  values: Buffer[];
}

function rowsOf(columns: readonly Column[], first: number): string {
  const parameters = columns.map((column, index) => `$${first + index}::${column.type}`).join(', ');
  return `unnest(${parameters}) AS u(${columns.map((column) => column.name).join(', ')})`;
}

/**
 * Joins fragments to one statement, `WITH a AS (…), b AS (…) <tail>`: one round trip and one transaction for all of
 * them. The text depends only on which fragments there are, so the server can keep its plan under a name.
 */
export function statementOf(fragments: readonly Fragment[], tail: string): Statement {
  const values: Buffer[] = [];
  const parts = fragments.map((fragment) => {
    const rows = rowsOf(fragment.columns, values.length + 1);
    values.push(...fragment.columns.map((column) => column.value));
    return `${fragment.name} AS (${fragment.sql(rows)})`;
  });
  return { text: `WITH ${parts.join(',\n')}\n${tail}`, values };
}
