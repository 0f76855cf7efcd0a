/** Deletions after which the entries move to a fresh `Map`, and how many for each entry that has to be moved. */
const DELETIONS_MIN = 256;
const DELETIONS_PER_ENTRY = 4;

/**
 * A `Map` for entries that come and go all the time. It keeps their order, and now and then moves them to a fresh `Map`.
 *
 * V8 chains the tables of a `Map`: one that was outgrown points to the next. As soon as one of them has become old, each
 * later table, with all that its entries led to, outlives the minor collections until the next major one. At 1,000
 * messages a second a tenth of everything allocated was kept so: minor collections of 11 ms instead of 2, and a major
 * one every five seconds.
 *
 * Whoever iterates sees at least the entries that were there at the beginning and were not deleted on the way.
 */
export class TransientMap<Key, Value> {
  private entries = new Map<Key, Value>();
  private deletions = 0;

  get size(): number {
    return this.entries.size;
  }

  get(key: Key): Value | undefined {
    return this.entries.get(key);
  }

  has(key: Key): boolean {
    return this.entries.has(key);
  }

  set(key: Key, value: Value): void {
    this.entries.set(key, value);
  }

  delete(key: Key): boolean {
    const isDeleted = this.entries.delete(key);
    if (isDeleted) this.countDeletion();
    return isDeleted;
  }

  clear(): void {
    this.entries = new Map();
    this.deletions = 0;
  }

  keys(): MapIterator<Key> {
    return this.entries.keys();
  }

  values(): MapIterator<Value> {
    return this.entries.values();
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries[Symbol.iterator]();
  }

  private countDeletion(): void {
    this.deletions += 1;
    if (this.deletions < DELETIONS_MIN || this.deletions < DELETIONS_PER_ENTRY * this.entries.size) return;
    this.entries = new Map(this.entries);
    this.deletions = 0;
  }
}
