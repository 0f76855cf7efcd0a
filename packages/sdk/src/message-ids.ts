/** Negative, zero or positive, by size: ids are decimal numbers that a JavaScript number cannot hold. */
export function compareMessageIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The later of two marks, where null is before everything. */
export function laterMark(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return compareMessageIds(a, b) >= 0 ? a : b;
}

/** Whether a mark covers a message. */
export function covers(mark: string | null, messageId: string): boolean {
  return mark !== null && compareMessageIds(mark, messageId) >= 0;
}
