import { forgetNotifications } from '../notifications/notification-setting.js';
import { logIn, logOut, resume, signUp, type ParleyClient } from '@parley/sdk';

/** Whether somebody is signed in here; `ended` tells that the server ended the session, not the user. */
export type SessionState =
  | { readonly status: 'starting' }
  | { readonly status: 'signed-out'; readonly ended: boolean }
  | { readonly status: 'signed-in'; readonly client: ParleyClient };

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Errors that say that this session will not come back. */
const FINAL_CODES = new Set(['session_revoked', 'refresh_reused', 'unauthenticated', 'token_expired']);

/** The one session of this page. */
export class Session {
  state: SessionState = { status: 'starting' };
  private readonly listeners = new Set<() => void>();
  private readonly options = {
    url: window.location.origin,
    onFault: (fault: unknown) => reportError(fault),
  };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Goes on with the session that this browser keeps, if there is one. */
  async start(): Promise<void> {
    const client = await resume(this.options).catch(() => null);
    if (client) this.began(client);
    else this.become({ status: 'signed-out', ended: false });
  }

  /** @throws ParleyError */
  async logIn(credentials: Credentials): Promise<void> {
    this.began(await logIn({ ...this.options, ...credentials }));
  }

  /** @throws ParleyError */
  async signUp(account: Credentials & { readonly displayName: string }): Promise<void> {
    this.began(await signUp({ ...this.options, ...account }));
  }

  /** Takes everything of this account out of this browser. */
  async logOut(): Promise<void> {
    if (this.state.status !== 'signed-in') return;
    const { client } = this.state;
    this.become({ status: 'signed-out', ended: false });
    await this.leave(client);
  }

  private began(client: ParleyClient): void {
    const watch = (): void => {
      const { connectionState } = client;
      if (connectionState.status !== 'closed' || !FINAL_CODES.has(connectionState.error?.code ?? '')) return;
      if (this.state.status !== 'signed-in' || this.state.client !== client) return;
      this.become({ status: 'signed-out', ended: true });
      void this.leave(client);
    };
    client.on('connection', watch);
    this.become({ status: 'signed-in', client });
    watch();
  }

  /** The server may not be reached; here the session has ended all the same. */
  private async leave(client: ParleyClient): Promise<void> {
    const fault = (cause: unknown): void => this.options.onFault(cause);
    await Promise.all([forgetNotifications().catch(fault), logOut(client, this.options).catch(fault)]);
  }

  private become(state: SessionState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
