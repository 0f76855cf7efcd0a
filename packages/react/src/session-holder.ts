import type { ParleyClient } from '@parley/sdk';

/** What a provider has to offer. `signed-out`: `open` gave null, because there is no session to go on with. */
export type ParleySession =
  | { readonly status: 'opening'; readonly client: null; readonly error: null }
  | { readonly status: 'ready'; readonly client: ParleyClient; readonly error: null }
  | { readonly status: 'signed-out'; readonly client: null; readonly error: null }
  | { readonly status: 'failed'; readonly client: null; readonly error: unknown };

export const OPENING: ParleySession = { status: 'opening', client: null, error: null };

/**
 * One client for as long as somebody holds it. StrictMode lets go and takes hold again at once, which must not make a
 * second connection: so it is closed a moment after the last one has let go.
 */
export class SessionHolder {
  session: ParleySession = OPENING;
  private holders = 0;
  private opened: Promise<ParleyClient | null> | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly open: () => Promise<ParleyClient | null>) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly read = (): ParleySession => this.session;

  /** @returns what lets go of it */
  hold(): () => void {
    this.holders++;
    this.opened ??= this.begin();
    return () => {
      this.holders--;
      setTimeout(() => this.closeIfFree(), 0);
    };
  }

  private begin(): Promise<ParleyClient | null> {
    const opened = Promise.resolve().then(() => this.open());
    opened.then(
      (client) => {
        if (this.opened !== opened) return;
        this.enter(
          client ? { status: 'ready', client, error: null } : { status: 'signed-out', client: null, error: null },
        );
      },
      (error: unknown) => {
        if (this.opened === opened) this.enter({ status: 'failed', client: null, error });
      },
    );
    return opened;
  }

  private closeIfFree(): void {
    const { opened } = this;
    if (this.holders > 0 || !opened) return;
    this.opened = null;
    this.enter(OPENING);
    // It may still be opening; what it was opened for has gone meanwhile.
    opened.then((client) => client?.close()).catch(() => {});
  }

  private enter(session: ParleySession): void {
    this.session = session;
    for (const listener of this.listeners) listener();
  }
}
