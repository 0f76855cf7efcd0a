import {
  CLIENT_EVENTS,
  ERROR_CODES,
  RefusalSchema,
  SERVER_EVENTS,
  SocketErrorSchema,
  StoredSchema,
  type ClientEventName,
  type ServerEventName,
  type ServerEventPayload,
  type SocketError,
  type Stored,
} from '@parley/contracts';
import { io, type Socket } from 'socket.io-client';
import type { z } from 'zod';

const ANSWER_TIMEOUT_MS = 10_000;
const EVENT_TIMEOUT_MS = 5_000;
/** A client that hears nothing of an accepted send for so long sends it again. */
const SETTLED_TIMEOUT_MS = 10_000;

export interface SeenEvent {
  readonly name: ServerEventName;
  readonly payload: unknown;
}

type Answer<Name extends ClientEventName> = z.output<(typeof CLIENT_EVENTS)[Name]['answer']>;
interface Waiter {
  check: () => void;
}

/** A raw socket.io connection that keeps everything it is told. Events that do not fit the contract fail the test. */
export class TestSocket {
  readonly events: SeenEvent[] = [];
  readonly misfits: string[] = [];
  disconnected: string | undefined;
  private readonly waiters = new Set<Waiter>();

  private constructor(readonly socket: Socket) {
    socket.onAny((name: string, payload: unknown, ...rest: unknown[]) => this.see(name, payload, rest));
    socket.on('disconnect', (reason) => {
      this.disconnected = reason;
      this.wake();
    });
  }

  static async connect(
    url: string,
    auth: Record<string, unknown>,
    options: { transports?: string[]; extraHeaders?: Record<string, string> } = {},
  ): Promise<TestSocket> {
    const socket = io(url, {
      auth,
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      autoConnect: false,
      ...options,
    });
    const connection = new TestSocket(socket);
    await new Promise<void>((done, fail) => {
      socket.once('connect', done);
      socket.once('connect_error', (error) => {
        socket.close();
        fail(error);
      });
      socket.connect();
    });
    return connection;
  }

  /** What the answer carries beside `ok: true`. */
  async ask<Name extends ClientEventName>(name: Name, payload?: unknown): Promise<Answer<Name>> {
    const answer = await this.raw(name, payload);
    if ((answer as { ok?: unknown }).ok !== true) throw new Error(`${name}: ${JSON.stringify(answer).slice(0, 500)}`);
    return CLIENT_EVENTS[name].answer.parse(answer) as Answer<Name>;
  }

  /** The place of a send, which must be stored: at once or, where the contract allows that, after it was accepted. */
  async send(payload: object): Promise<Stored> {
    const answer = await this.ask('send_message', payload);
    if (answer.status === 'stored') return answer;
    const { clientMsgId } = answer;
    const { status, ...end } = await this.waitFor('ack', (ack) => ack.clientMsgId === clientMsgId, SETTLED_TIMEOUT_MS);
    if (status !== 'stored') throw new Error(`send_message: ${status} ${JSON.stringify(end)}`);
    return StoredSchema.parse({ ...end, status, clientMsgId, duplicate: false });
  }

  /** `404 not_found`, or `400 validation_failed content:empty`: what was refused, after the error was checked. */
  async refusal(name: string, ...args: unknown[]): Promise<string> {
    return socketRefusalText(RefusalSchema.strict().parse(await this.raw(name, ...args)).error);
  }

  /** Whatever the acknowledgement callback is given. */
  async raw(name: string, ...args: unknown[]): Promise<unknown> {
    return this.socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(name, ...args) as Promise<unknown>;
  }

  seen<Name extends ServerEventName>(name: Name): ServerEventPayload<Name>[] {
    return this.events.filter((event) => event.name === name).map((event) => event.payload as ServerEventPayload<Name>);
  }

  async waitFor<Name extends ServerEventName>(
    name: Name,
    matches: (payload: ServerEventPayload<Name>) => boolean = () => true,
    timeoutMs = EVENT_TIMEOUT_MS,
  ): Promise<ServerEventPayload<Name>> {
    const find = () => this.seen(name).find(matches);
    await this.until(() => find() !== undefined, timeoutMs, `no ${name} as expected`);
    return find() as ServerEventPayload<Name>;
  }

  async waitForEnd(timeoutMs = EVENT_TIMEOUT_MS): Promise<string> {
    await this.until(() => this.disconnected !== undefined, timeoutMs, 'still connected');
    return this.disconnected as string;
  }

  close(): void {
    this.socket.close();
  }

  private async until(isSo: () => boolean, timeoutMs: number, otherwise: string): Promise<void> {
    await new Promise<void>((done, fail) => {
      const waiter = { check: () => isSo() && end(done) };
      const timer = setTimeout(() => {
        const names = this.events.map(({ name }) => name).join(', ');
        end(() =>
          fail(new Error(`${otherwise} in ${timeoutMs} ms; seen: ${names}; ${this.disconnected ?? 'connected'}`)),
        );
      }, timeoutMs);
      const end = (then: () => void): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        then();
      };
      this.waiters.add(waiter);
      waiter.check();
    });
  }

  private see(name: string, payload: unknown, rest: unknown[]): void {
    const schema = (SERVER_EVENTS as Record<string, z.ZodType | undefined>)[name];
    const parsed = schema?.safeParse(payload);
    if (!parsed?.success || rest.length > 0) this.misfits.push(`${name} ${JSON.stringify(payload)}`);
    this.events.push({ name: name as ServerEventName, payload });
    this.wake();
  }

  private wake(): void {
    // A waiter that is served takes itself out of the set, which a set allows while it is walked.
    for (const waiter of this.waiters) waiter.check();
  }
}

export function socketRefusalText(error: SocketError): string {
  const { code, status, retryable, errors = [] } = SocketErrorSchema.strict().parse(error);
  if (ERROR_CODES[code].status !== status || ERROR_CODES[code].retryable !== retryable) {
    throw new Error(`Status and code do not fit: ${JSON.stringify(error)}`);
  }
  return [`${status} ${code}`, ...errors.map((one) => `${one.path}:${one.code}`)].join(' ');
}

/** The `data` of the connect_error that a handshake ends with. */
export async function handshakeRefusal(url: string, auth: Record<string, unknown>): Promise<string> {
  try {
    (await TestSocket.connect(url, auth)).close();
  } catch (error) {
    return socketRefusalText((error as { data: SocketError }).data);
  }
  return 'accepted';
}
