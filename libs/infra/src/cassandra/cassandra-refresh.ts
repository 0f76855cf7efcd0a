import type { Client } from 'cassandra-driver';

/** What of the driver's connection for news of the cluster is used here; its types do not have it. */
interface ControlConnection {
  /** Finds a connection and reads the cluster's nodes over it. @param plan given when it calls itself to try the next */
  _refresh(plan?: Iterator<unknown>): Promise<void>;
}

/**
 * Lets the driver look for a new connection once at a time. It does so for each sign that the old one is lost, and two
 * of these searches take the connection away from each other: one then fails with a TypeError that nobody catches, which
 * ended the process (NODEJS-681, open). A sign that comes during a search starts another one after it.
 * @param againAfterMs the pause before a search that failed is repeated
 */
export function refreshOneAtATime(client: Client, againAfterMs: number): void {
  const control = (client as unknown as { controlConnection: ControlConnection }).controlConnection;
  const search = control._refresh.bind(control);
  let current: Promise<void> | null = null;
  let isAskedAgain = false;

  const searchUntilSettled = async (): Promise<void> => {
    try {
      do {
        isAskedAgain = false;
        await search();
      } while (isAskedAgain);
    } catch {
      // The driver's client has ended by then, or tries again.
      setTimeout(() => void control._refresh(), againAfterMs).unref();
    } finally {
      current = null;
    }
  };
  control._refresh = (plan) => {
    if (plan) return search(plan);
    if (current) isAskedAgain = true;
    return (current ??= searchUntilSettled());
  };
}
