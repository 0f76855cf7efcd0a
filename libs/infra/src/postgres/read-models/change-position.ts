/**
 * A snapshot of the database's transactions, as text: the database it is of, the latest start of a process that it
 * shows, the first transaction that had not ended, the first that had not begun, and those between that were running. A row changed since when the transaction that
 * wrote it is not visible in the snapshot. A time would not do: a change that was being committed would fall between.
 */
const POSITION =
  /^([0-9a-z]{1,13}-[0-9a-z]{1,7})-([0-9a-z]{1,8})\.([0-9a-z]{1,13})\.([0-9a-z]{1,13})\.([0-9a-z-]{0,120})$/;
/** The running transactions are told as far as they fit; the rest counts as not begun, which reports more, never less. */
const RUNNING_CHARS_MAX = 100;

export interface Snapshot {
  /** Changes with the server, and with the database on it: transaction numbers mean nothing elsewhere. */
  database: string;
  /** The label of the latest start of a process that it shows. */
  start: string;
  /** Text of a `pg_snapshot`. */
  text: string;
  /** The first transaction that had not begun. */
  end: bigint;
}

const base36 = (digits: string): string => BigInt(digits).toString(36);

function fromBase36(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  return value;
}

export function databaseName(systemIdentifier: string, oid: string): string {
  return `${base36(systemIdentifier)}-${base36(oid)}`;
}

/** @param snapshot text of `pg_current_snapshot()`: `xmin:xmax:running,running` */
export function positionOf({ database, start }: Pick<Snapshot, 'database' | 'start'>, snapshot: string): string {
  const history = `${database}-${start}`;
  const [begin = '0', end = '0', running = ''] = snapshot.split(':');
  const offsets: string[] = [];
  let chars = 0;
  for (const xid of running === '' ? [] : running.split(',')) {
    const offset = (BigInt(xid) - BigInt(begin)).toString(36);
    chars += offset.length + 1;
    if (chars > RUNNING_CHARS_MAX) return `${history}.${base36(begin)}.${base36(xid)}.${offsets.join('-')}`;
    offsets.push(offset);
  }
  return `${history}.${base36(begin)}.${base36(end)}.${offsets.join('-')}`;
}

/** What the server refuses as a snapshot, by its rules. */
function isSnapshot(begin: bigint, end: bigint, running: readonly bigint[]): boolean {
  if (begin < 1n || begin > end || end >= 1n << 63n) return false;
  return running.every((xid, i) => xid >= begin && xid < end && (i === 0 || xid > (running[i - 1] as bigint)));
}

/** Null when the text is no position. */
export function snapshotOf(position: string): Snapshot | null {
  const parts = POSITION.exec(position);
  if (!parts) return null;
  const [, database = '', start = '', beginText = '', endText = '', offsets = ''] = parts;
  const begin = fromBase36(beginText);
  const end = fromBase36(endText);
  const running = offsets === '' ? [] : offsets.split('-').map((offset) => begin + fromBase36(offset));
  if (!isSnapshot(begin, end, running)) return null;
  return { database, start, text: `${begin}:${end}:${running.join(',')}`, end };
}
