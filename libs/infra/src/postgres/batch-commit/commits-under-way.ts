/** A commit that takes longer has not become visible yet, so nobody waits on for it. */
const WAIT_MS_MAX = 250;

/**
 * The commits that this process waits for. Other connections can see a commit a moment before this process hears that
 * it succeeded, and until then what it remembers is older: whoever answers from a statement waits for them, or the next
 * answer, from memory, would go back (measured: twice in 60 s under load).
 */
export class CommitsUnderWay {
  /** One or two at a time: an array, since the tables of a `Set` would outlive them (see `TransientMap`). */
  private readonly underWay: Promise<void>[] = [];

  /** Runs a commit, its listeners included. */
  async run<Result>(commit: () => Promise<Result>): Promise<Result> {
    let end = (): void => {};
    const ended = new Promise<void>((done) => {
      end = done;
    });
    const timer = setTimeout(end, WAIT_MS_MAX);
    this.underWay.push(ended);
    try {
      return await commit();
    } finally {
      clearTimeout(timer);
      void this.underWay.splice(this.underWay.indexOf(ended), 1);
      end();
    }
  }

  /** Resolves when every commit that may have been seen by now is known here too. */
  async known(): Promise<void> {
    if (this.underWay.length > 0) await Promise.all(this.underWay);
  }
}
