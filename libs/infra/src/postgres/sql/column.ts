import type { ParameterWriter } from './parameter-writer.js';

/** Numbers that PostgreSQL gave its types. */
const OID = { bool: 16, int8: 20, int2: 21, int4: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const;

/** PostgreSQL counts microseconds since 2000-01-01. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

/**
 * A column of the rows that a batch writes: one parameter, a one-dimensional array in PostgreSQL's binary format
 * (`array_send`), so that the server neither parses nor unescapes it. At thousands of rows a second the text form costs
 * more CPU than the rest of building a batch.
 */
export interface Column<Row> {
  name: string;
  /** SQL type of the parameter, `uuid[]`. */
  type: string;
  write: (writer: ParameterWriter, rows: readonly Row[]) => void;
}

type Type = keyof typeof OID;

function column<Row, Value>(
  type: Type,
  name: string,
  valueOf: (row: Row) => Value | null,
  writeValue: (writer: ParameterWriter, value: Value) => void,
): Column<Row> {
  return {
    name,
    type: `${type}[]`,
    write(writer, rows) {
      writer.int32(rows.length === 0 ? 0 : 1); // dimensions
      writer.int32(1); // there may be nulls
      writer.int32(OID[type]);
      if (rows.length === 0) return;
      writer.int32(rows.length);
      writer.int32(1); // lower bound
      for (const row of rows) {
        const value = valueOf(row);
        if (value === null) {
          writer.int32(-1);
          continue;
        }
        const from = writer.beginLength();
        writeValue(writer, value);
        writer.endLength(from);
      }
    },
  };
}

/** Whole numbers, or decimal strings where they may pass 2^53 (message ids). */
export function int8<Row>(name: string, valueOf: (row: Row) => number | string | null): Column<Row> {
  return column('int8', name, valueOf, (writer, value) =>
    typeof value === 'number' ? writer.int64(value) : writer.decimal64(value),
  );
}

export function int4<Row>(name: string, valueOf: (row: Row) => number | null): Column<Row> {
  return column('int4', name, valueOf, (writer, value) => writer.int32(value));
}

export function int2<Row>(name: string, valueOf: (row: Row) => number | null): Column<Row> {
  return column('int2', name, valueOf, (writer, value) => writer.int16(value));
}

export function bool<Row>(name: string, valueOf: (row: Row) => boolean | null): Column<Row> {
  return column('bool', name, valueOf, (writer, value) => writer.int8(value ? 1 : 0));
}

/** Milliseconds since the Unix epoch. */
export function timestamptz<Row>(name: string, valueOf: (row: Row) => number | null): Column<Row> {
  return column('timestamptz', name, valueOf, (writer, value) => writer.int64((value - POSTGRES_EPOCH_MS) * 1_000));
}

/** @throws TypeError, when written, for what is not a UUID */
export function uuid<Row>(name: string, valueOf: (row: Row) => string | null): Column<Row> {
  return column('uuid', name, valueOf, (writer, value) => writer.uuid(value));
}

export function text<Row>(name: string, valueOf: (row: Row) => string | null): Column<Row> {
  return column('text', name, valueOf, (writer, value) => writer.text(value));
}
