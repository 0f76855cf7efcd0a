import { io, type Socket } from 'socket.io-client';
import { ParleyError, toParleyError } from './errors.js';
import type { Answer, Link, LinkListener, LinkTarget, OpenLink, ServerEvent } from './ports.js';
import type { ClientEventName, ClientEventPayload } from './wire.js';

class SocketLink implements Link {
  private readonly pending = new Set<(error: ParleyError) => void>();

  constructor(private readonly socket: Socket) {}

  ask<Name extends ClientEventName>(
    name: Name,
    payload: ClientEventPayload<Name>,
    timeoutMs: number,
  ): Promise<Answer<Name>> {
    return new Promise((done, fail) => {
      if (!this.socket.connected) return fail(new ParleyError('network', 'The connection was lost'));
      const end = (): void => {
        clearTimeout(timer);
        this.pending.delete(refuse);
      };
      const refuse = (error: ParleyError): void => {
        end();
        fail(error);
      };
      const timer = setTimeout(() => refuse(new ParleyError('timeout', `No answer to ${name}`)), timeoutMs);
      this.pending.add(refuse);
      this.socket.emit(name, payload, (answer: { ok: boolean; error?: unknown }) => {
        end();
        if (answer?.ok === true) done(answer as Answer<Name>);
        else fail(toParleyError(answer?.error));
      });
    });
  }

  /** Nobody waits for an answer that cannot come any more. */
  lost(): void {
    for (const refuse of this.pending) refuse(new ParleyError('network', 'The connection was lost'));
  }

  close(): void {
    this.socket.off();
    this.socket.close();
    this.lost();
  }
}

/** Socket.IO, websocket first and long polling where that is not let through. It reconnects nothing by itself. */
export const openSocketLink: OpenLink = (target: LinkTarget, listener: LinkListener, timeoutMs: number) =>
  new Promise((done, fail) => {
    const socket = io(target.url, {
      path: target.path,
      auth: { token: target.token, deviceId: target.deviceId },
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      forceNew: true,
      reconnection: false,
      timeout: timeoutMs,
    });
    const link = new SocketLink(socket);
    const giveUp = (error: ParleyError): void => {
      clearTimeout(timer);
      link.close();
      fail(error);
    };
    // `timeout` above ends with the transport; a server that accepts and says nothing more is given up here.
    const timer = setTimeout(() => giveUp(new ParleyError('timeout', 'No connection in time')), timeoutMs);
    socket.onAny((name: string, payload: unknown) => listener.event({ name, payload } as ServerEvent));
    socket.once('connect', () => {
      clearTimeout(timer);
      done(link);
    });
    socket.once('connect_error', (error: Error & { data?: unknown }) => giveUp(toParleyError(error.data ?? error)));
    socket.once('disconnect', () => {
      link.close();
      listener.ended();
    });
  });
