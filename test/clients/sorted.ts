/** In the order of `<`, which is by code units for texts and by size for numbers. */
export function sorted<Value extends string | number>(values: readonly Value[]): Value[] {
  return values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
