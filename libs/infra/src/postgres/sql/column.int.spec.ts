import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../embedded/testing.js';
import { bool, type Column, int2, int4, int8, text, timestamptz, uuid } from './column.js';
import { type Fragment, partOf, statementOf } from './fragment.js';
import { ParameterWriter } from './parameter-writer.js';

let server: TestPostgres;
let client: pg.Client;
beforeAll(async () => {
  server = await startTestPostgres();
  client = new pg.Client({ connectionString: server.url });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await server?.stop();
});

/** What the server understood, in the order of the rows; `shown` is an SQL expression over the value `v`. */
async function read<Value>(column: Column<Value>, values: readonly Value[], shown = 'v'): Promise<unknown[]> {
  const writer = new ParameterWriter();
  column.write(writer, values);
  const sql = `SELECT ${shown} AS shown FROM unnest($1::${column.type}) WITH ORDINALITY AS u(v, i) ORDER BY i`;
  const { rows } = await client.query<{ shown: unknown }>(sql, [writer.bytes()]);
  return rows.map((row) => row.shown);
}

const itself = <Value>(value: Value): Value => value;

/** Each with values that the server answers as they are. */
const TYPES = [
  { column: int2<number | null>('v', itself), values: [0, 1, -1, 32_767, -32_768] },
  { column: int4<number | null>('v', itself), values: [0, 1, -1, 2_147_483_647, -2_147_483_648] },
  { column: bool<boolean | null>('v', itself), values: [true, false, true] },
  {
    column: text<string | null>('v', itself),
    values: ['', 'null', '{"a,b"}', "quote ' and \\", 'ä', '漢字', '👩‍👩‍👧‍👦😀', 'x'.repeat(10_000), '漢'.repeat(10_000)],
  },
  {
    column: uuid<string | null>('v', itself),
    values: ['00000000-0000-0000-0000-000000000000', '0123abcd-4567-89ef-8003-fedcba987654'],
  },
] as { column: Column<unknown>; values: unknown[] }[];

describe.each(TYPES)('a column of type $column.type', ({ column, values }) => {
  it('makes the round trip', async () => {
    expect(await read(column, values)).toEqual(values);
  });

  it('makes the round trip with nulls before, between and after', async () => {
    const withNulls = [null, ...values.flatMap((value) => [value, null])];
    expect(await read(column, withNulls)).toEqual(withNulls);
    expect(await read(column, [null])).toEqual([null]);
  });

  it('makes the round trip without rows', async () => {
    expect(await read(column, [])).toEqual([]);
  });
});

describe('a column of 64 bits', () => {
  const column = int8<number | string | null>('v', itself);

  it('takes numbers, nulls and none at all', async () => {
    const numbers = [0, 1, -1, 4_294_967_295, 4_294_967_296, -4_294_967_296, -4_294_967_297];
    const values = [...numbers, null, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER];
    expect(await read(column, values)).toEqual(values.map((value) => (value === null ? null : String(value))));
    expect(await read(column, [])).toEqual([]);
  });

  it('takes message ids as digits up to 2^63 - 1, without losing the last ones', async () => {
    const ids = ['9223372036854775807', '9223372036854775806', '9007199254740993', '-9223372036854775808', '0'];
    expect(await read(column, ids)).toEqual(ids);
  });
});

describe('a column of times', () => {
  const column = timestamptz<number | null>('v', itself);
  const times = [
    ['2000-01-01T00:00:00.000Z', '2000-01-01 00:00:00'],
    ['1999-12-31T23:59:59.999Z', '1999-12-31 23:59:59.999'],
    ['1970-01-01T00:00:00.000Z', '1970-01-01 00:00:00'],
    ['1969-12-31T23:59:59.001Z', '1969-12-31 23:59:59.001'],
    ['2026-11-22T10:00:00.000Z', '2026-11-22 10:00:00'],
    ['2026-11-22T10:00:00.123Z', '2026-11-22 10:00:00.123'],
    ['2100-02-28T23:59:59.999Z', '2100-02-28 23:59:59.999'],
  ] as const;

  it('takes milliseconds before and after 2000, to the millisecond', async () => {
    const values = times.map(([iso]) => Date.parse(iso));
    const shown = await read(column, values, "(v AT TIME ZONE 'UTC')::text");
    expect(shown).toEqual(times.map(([, sql]) => sql));
  });

  it('takes nulls and no rows', async () => {
    expect(await read(column, [null, 0, null])).toEqual([null, new Date(0), null]);
    expect(await read(column, [])).toEqual([]);
  });
});

describe('a column of texts', () => {
  it('takes texts of a million characters, ASCII and not, one after another', async () => {
    const texts = ['x'.repeat(1_000_000), '漢'.repeat(1_000_000), '😀'.repeat(500_000), 'end'];
    const answer = await read(text<string>('v', itself), texts);
    // Not toEqual: a difference of a million characters is not to be printed.
    expect(answer.map((value, i) => value === texts[i])).toEqual([true, true, true, true]);
  });
});

describe('a column of UUIDs', () => {
  it('takes upper-case and mixed ones as the same', async () => {
    const lower = '0123abcd-4567-89ef-8003-fedcba987654';
    const values = [lower.toUpperCase(), lower, lower.replace('abcd', 'aBcD')];
    expect(await read(uuid<string>('v', itself), values)).toEqual([lower, lower, lower]);
  });
});

describe('columns side by side', () => {
  interface Row {
    id: string;
    count: number | null;
    big: string;
    content: string | null;
    at: number | null;
    flag: boolean;
    small: number;
  }
  const FRAGMENT: Fragment<Row> = {
    name: 'given',
    columns: [
      uuid('id', (r) => r.id),
      int4('count', (r) => r.count),
      int8('big', (r) => r.big),
      text('content', (r) => r.content),
      timestamptz('at', (r) => r.at),
      bool('flag', (r) => r.flag),
      int2('small', (r) => r.small),
    ],
    sql: (rows) => `SELECT * FROM ${rows}`,
  };

  it('keep their values in the same row', async () => {
    const rows: Row[] = Array.from({ length: 300 }, (_, i) => ({
      id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
      count: i % 3 === 0 ? null : -i,
      big: String(9_223_372_036_854_775_807n - BigInt(i)),
      content: i % 5 === 0 ? null : `${'漢'.repeat(i)} ${i}`,
      at: i % 7 === 0 ? null : Date.UTC(1999, 11, 31, 23, 59) + i * 1_000,
      flag: i % 2 === 0,
      small: 150 - i,
    }));
    const { text: sql, values } = statementOf([partOf(FRAGMENT, rows)], 'SELECT * FROM given ORDER BY small DESC');
    const answer = await client.query<Record<string, unknown>>(sql, values);
    expect(answer.rows).toEqual(rows.map((row) => ({ ...row, at: row.at === null ? null : new Date(row.at) })));
  });
});
