interface Entry<Value> {
  value: Value;
  cost: number;
}

/**
 * Remembers values by key up to a total cost; the longest unused go first. A reading moves its key to the end, which a
 * `Map` does by deleting and setting: both are cheap, and its order is that of insertion.
 */
export class RecentValues<Value> {
  private readonly entries = new Map<string, Entry<Value>>();
  private totalCost = 0;

  constructor(private readonly costMax: number) {}

  get size(): number {
    return this.entries.size;
  }

  get(key: string): Value | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  /** The value, without counting as a use. */
  peek(key: string): Value | undefined {
    return this.entries.get(key)?.value;
  }

  set(key: string, value: Value, cost = 1): void {
    this.delete(key);
    this.entries.set(key, { value, cost });
    this.totalCost += cost;
    for (const oldest of this.entries.keys()) {
      if (this.totalCost <= this.costMax || oldest === key) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.totalCost -= entry.cost;
  }

  clear(): void {
    this.entries.clear();
    this.totalCost = 0;
  }
}
