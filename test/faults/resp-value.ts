const LINE_END = '\r\n';
/** A line says how many bytes follow. */
const BULKS = '$=!';
/** A line says how many values follow, or pairs of them. */
const LISTS = '*>~';
const MAPS = '%|';

/** @returns where the first value of Redis' protocol (RESP 2 or 3) in the bytes ends; null while its end has not come */
export function endOfRespValue(bytes: Buffer, from = 0): number | null {
  const lineEnd = bytes.indexOf(LINE_END, from);
  if (lineEnd < 0) return null;
  const next = lineEnd + LINE_END.length;
  const kind = bytes.toString('latin1', from, from + 1);
  const isBulk = BULKS.includes(kind);
  const perCount = MAPS.includes(kind) ? 2 : Number(LISTS.includes(kind));
  if (!isBulk && perCount === 0) return next;
  const count = Number(bytes.toString('latin1', from + 1, lineEnd));
  // Minus one is nothing at all.
  if (count < 0) return next;
  if (isBulk) {
    const end = next + count + LINE_END.length;
    return end <= bytes.length ? end : null;
  }
  let end: number | null = next;
  for (let left = count * perCount; left > 0 && end !== null; left--) end = endOfRespValue(bytes, end);
  return end;
}
