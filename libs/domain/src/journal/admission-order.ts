import { TransientMap } from '../collections/transient-map.js';
import type { MaybePromise } from './maybe-promise.js';

const ignore = (): void => {};

/**
 * Lets the commands of one socket into the log in the order in which they came, also when looking one up takes longer
 * than the next one (a first command that misses the cache, a second that hits it).
 *
 * Nothing is kept, queued or put off for a socket none of whose commands is being looked up.
 */
export class AdmissionOrder {
  private readonly tails = new TransientMap<string, Promise<void>>();

  /**
   * Runs `admit` now, or after the earlier ones of this socket have ended, well or not. What it answers should not be a
   * promise of the command's end, or the socket's next command waits for that too.
   */
  run<T>(connectionId: string | null, admit: () => MaybePromise<T>): MaybePromise<T> {
    if (connectionId === null) return admit();
    const tail = this.tails.get(connectionId);
    const admitted = tail === undefined ? admit() : tail.then(admit);
    if (!(admitted instanceof Promise)) return admitted;
    const ended: Promise<void> = admitted.then(ignore, ignore).then(() => {
      if (this.tails.get(connectionId) === ended) this.tails.delete(connectionId);
    });
    this.tails.set(connectionId, ended);
    return admitted;
  }

  /** Sockets that have a command being looked up. */
  get waiting(): number {
    return this.tails.size;
  }
}
