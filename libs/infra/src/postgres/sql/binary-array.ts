/**
 * One-dimensional arrays in PostgreSQL's binary format (`array_send`), for parameters of `unnest`: the driver passes a
 * Buffer on as it is, and the server neither parses nor unescapes it. At thousands of rows a second the text form costs
 * more CPU than the rest of building a batch.
 */
const OID = { bool: 16, int8: 20, int2: 21, int4: 23, text: 25, timestamptz: 1184, uuid: 2950 } as const;

/** PostgreSQL counts microseconds since 2000-01-01. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);
const HEADER_BYTES = 20;
const EMPTY_HEADER_BYTES = 12;
const TWO_32 = 0x1_0000_0000;

function header(oid: number, length: number, bytes: number): Buffer {
  if (length === 0) {
    const empty = Buffer.alloc(EMPTY_HEADER_BYTES);
    empty.writeInt32BE(oid, 8);
    return empty;
  }
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(1, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(length, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
}

type Write<Value> = (buffer: Buffer, value: Value, at: number) => void;

function fixedArray<Value>(oid: number, size: number, values: readonly (Value | null)[], write: Write<Value>): Buffer {
  const buffer = header(oid, values.length, values.length * (4 + size));
  let at = HEADER_BYTES;
  for (const value of values) {
    if (value === null) {
      buffer.writeInt32BE(-1, at);
      at += 4;
      continue;
    }
    buffer.writeInt32BE(size, at);
    write(buffer, value, at + 4);
    at += 4 + size;
  }
  return values.length === 0 ? buffer : buffer.subarray(0, at);
}

function writeWide(buffer: Buffer, value: number, at: number): void {
  buffer.writeInt32BE(Math.floor(value / TWO_32), at);
  buffer.writeUInt32BE(((value % TWO_32) + TWO_32) % TWO_32, at + 4);
}

/** Whole numbers, or decimal strings where they may pass 2^53 (message ids). */
export function int8Array(values: readonly (number | string | null)[]): Buffer {
  return fixedArray(OID.int8, 8, values, (buffer, value, at) => {
    if (typeof value === 'number') writeWide(buffer, value, at);
    else buffer.writeBigInt64BE(BigInt(value), at);
  });
}

export function int4Array(values: readonly (number | null)[]): Buffer {
  return fixedArray(OID.int4, 4, values, (buffer, value, at) => buffer.writeInt32BE(value, at));
}

export function int2Array(values: readonly (number | null)[]): Buffer {
  return fixedArray(OID.int2, 2, values, (buffer, value, at) => buffer.writeInt16BE(value, at));
}

export function boolArray(values: readonly (boolean | null)[]): Buffer {
  return fixedArray(OID.bool, 1, values, (buffer, value, at) => buffer.writeUInt8(value ? 1 : 0, at));
}

/** Milliseconds since the Unix epoch. */
export function timeArray(values: readonly (number | null)[]): Buffer {
  return fixedArray(OID.timestamptz, 8, values, (buffer, value, at) =>
    writeWide(buffer, (value - POSTGRES_EPOCH_MS) * 1000, at),
  );
}

export function uuidArray(values: readonly (string | null)[]): Buffer {
  return fixedArray(OID.uuid, 16, values, (buffer, value, at) => {
    if (buffer.write(value.replaceAll('-', ''), at, 16, 'hex') !== 16) throw new TypeError(`not a UUID: ${value}`);
  });
}

export function textArray(values: readonly (string | null)[]): Buffer {
  let bytes = 0;
  const lengths = values.map((value) => {
    const length = value === null ? 0 : Buffer.byteLength(value);
    bytes += 4 + length;
    return length;
  });
  const buffer = header(OID.text, values.length, bytes);
  let at = HEADER_BYTES;
  values.forEach((value, index) => {
    const length = lengths[index] ?? 0;
    buffer.writeInt32BE(value === null ? -1 : length, at);
    if (value !== null) buffer.write(value, at + 4, length, 'utf8');
    at += 4 + length;
  });
  return buffer;
}
