/**
 * The results of `work` for all items, in their order, with at most `atOnceMax` under way at a time. After a failure
 * nothing new is begun; it rejects when what was under way has ended, so that no work goes on behind the caller's back.
 */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  atOnceMax: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  results.length = items.length;
  let next = 0;
  let failed = false;
  let failure: unknown;
  const run = async (): Promise<void> => {
    while (!failed && next < items.length) {
      const index = next++;
      try {
        results[index] = await work(items[index] as Item);
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnceMax, items.length) }, run));
  if (failed) throw failure;
  return results;
}
