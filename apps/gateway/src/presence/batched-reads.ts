interface Waiting {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Reads many items with few questions, one at a time: who asks meanwhile is read with the next. An answer is never older
 * than the question, so whoever asks after a change learns of it. Bounded by the number of items there are.
 */
export class BatchedReads<Item extends object> {
  private readonly waiting = new Map<Item, Waiting>();
  private reading = false;

  /** @param read a rejection goes to all who asked for one of its items */
  constructor(
    private readonly itemsPerReadMax: number,
    private readonly read: (items: readonly Item[]) => Promise<void>,
  ) {}

  /** Resolves when the item was read by a question that was asked after this call; nobody has to wait for it. */
  ask(item: Item): Promise<void> {
    let asked = this.waiting.get(item);
    if (!asked) {
      asked = Promise.withResolvers<void>();
      asked.promise.catch(() => {});
      this.waiting.set(item, asked);
      // All that is asked for in one go is read together.
      if (!this.reading) {
        this.reading = true;
        queueMicrotask(() => void this.readAll());
      }
    }
    return asked.promise;
  }

  /** Whether the item is about to be read again, so that what was just read of it may be old. */
  isAsked(item: Item): boolean {
    return this.waiting.has(item);
  }

  /** Nobody is interested any more. */
  forget(item: Item): void {
    this.waiting.get(item)?.resolve();
    this.waiting.delete(item);
  }

  private async readAll(): Promise<void> {
    while (this.waiting.size > 0) {
      const some = this.takeSome();
      try {
        await this.read(some.map(([item]) => item));
        for (const [, asked] of some) asked.resolve();
      } catch (error) {
        for (const [, asked] of some) asked.reject(error);
      }
    }
    this.reading = false;
  }

  private takeSome(): [Item, Waiting][] {
    const some: [Item, Waiting][] = [];
    for (const entry of this.waiting) {
      some.push(entry);
      this.waiting.delete(entry[0]);
      if (some.length >= this.itemsPerReadMax) break;
    }
    return some;
  }
}
