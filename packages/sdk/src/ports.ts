import type {
  ClientEventAnswer,
  ClientEventName,
  ClientEventPayload,
  ServerEventName,
  ServerEventPayload,
} from './wire.js';

export type Answer<Name extends ClientEventName> = Extract<ClientEventAnswer<Name>, { ok: true }>;

/** An open connection to a gateway. */
export interface Link {
  /** Rejects with ParleyError: what the server refused, `timeout`, or `network` when the connection ended first. */
  ask<Name extends ClientEventName>(
    name: Name,
    payload: ClientEventPayload<Name>,
    timeoutMs: number,
  ): Promise<Answer<Name>>;
  close(): void;
}

export type ServerEvent = {
  [Name in ServerEventName]: { readonly name: Name; readonly payload: ServerEventPayload<Name> };
}[ServerEventName];

export interface LinkTarget {
  readonly url: string;
  readonly path: string;
  readonly token: string;
  readonly deviceId: string;
}

export interface LinkListener {
  event(event: ServerEvent): void;
  /** Called once, after it was open; not after `close()`. */
  ended(): void;
}

/** Opens a connection, or rejects with ParleyError. A test may pass one of its own. */
export type OpenLink = (target: LinkTarget, listener: LinkListener, timeoutMs: number) => Promise<Link>;
