import { LRUCache } from 'lru-cache';

/** Remembers values by key up to a total cost; the longest unused go first. The newest is kept whatever it costs. */
export class RecentValues<Value extends NonNullable<unknown>> {
  private readonly entries: LRUCache<string, Value>;

  constructor(private readonly costMax: number) {
    this.entries = new LRUCache({ maxSize: costMax });
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    return this.entries.get(key);
  }

  /** The value, without counting as a use. */
  peek(key: string): Value | undefined {
    return this.entries.peek(key);
  }

  set(key: string, value: Value, cost = 1): void {
    this.entries.set(key, value, { size: Math.min(cost, this.costMax) });
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }
}
