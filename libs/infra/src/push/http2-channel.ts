import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { readAnswer, type ServiceAnswer } from './service-answer.js';

const CONNECT_MS_MAX = 5_000;
/** A connection on which nothing happened for so long is closed; firewalls forget it before it says so. */
const IDLE_MS_MAX = 10 * 60_000;
/** A connection that does not answer this in time is not there any more. */
const PING_EVERY_MS = 60_000;

export interface Http2ChannelOptions {
  origin: string;
  /** Authorities to trust beside those of the system; undefined for these alone. */
  ca?: readonly string[] | undefined;
}

/**
 * One HTTP/2 connection to a service, made when it is needed and made anew after it ended. A connection whose server
 * says GOAWAY takes no further requests; those that run on it end there.
 */
export class Http2Channel {
  private session: Promise<ClientHttp2Session> | null = null;
  private readonly open = new Set<ClientHttp2Session>();
  private current: ClientHttp2Session | null = null;
  private closed = false;

  constructor(private readonly options: Http2ChannelOptions) {}

  /** @throws Error when there is no whole answer within `withinMs` */
  async post(headers: Record<string, string>, body: string, withinMs: number): Promise<ServiceAnswer> {
    const deadline = AbortSignal.timeout(withinMs);
    const session = await this.connected();
    deadline.throwIfAborted();
    const stream = session.request({ [constants.HTTP2_HEADER_METHOD]: 'POST', ...headers }, { signal: deadline });
    try {
      return await exchange(stream, body);
    } catch (error) {
      if (!deadline.aborted) throw error;
      // Perhaps nothing answers on it any more: the next request takes another.
      this.leave(session);
      throw new Error(`no answer within ${withinMs} ms`, { cause: error });
    }
  }

  /** What is under way fails. */
  close(): void {
    this.closed = true;
    for (const session of this.open) session.destroy();
  }

  private connected(): Promise<ClientHttp2Session> {
    if (this.closed) return Promise.reject(new Error('the channel is closed'));
    if (this.session) return this.session;
    const made = this.connect();
    this.session = made;
    made.catch(() => {
      if (this.session === made) this.session = null;
    });
    return made;
  }

  private connect(): Promise<ClientHttp2Session> {
    const { origin, ca } = this.options;
    const session = connect(origin, ca ? { ca: [...ca] } : {});
    this.open.add(session);
    const pings = setInterval(() => {
      const silence = setTimeout(() => session.destroy(new Error('no answer to a ping')), CONNECT_MS_MAX);
      // False when it can no longer be asked: its end is on the way.
      if (!session.ping(() => clearTimeout(silence))) clearTimeout(silence);
    }, PING_EVERY_MS);
    pings.unref();
    const ended = (): void => {
      clearInterval(pings);
      this.open.delete(session);
      this.leave(session);
    };
    session.setTimeout(IDLE_MS_MAX, () => session.close());
    session.on('close', ended).on('goaway', () => this.leave(session));
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => session.destroy(new Error('no connection in time')), CONNECT_MS_MAX);
      session.on('error', reject).on('close', () => reject(new Error('the connection was closed')));
      session.once('connect', () => {
        clearTimeout(late);
        this.current = session;
        resolve(session);
      });
      session.once('close', () => clearTimeout(late));
    });
  }

  /** Takes no further requests; closes when those that run on it have ended. */
  private leave(session: ClientHttp2Session): void {
    if (this.current !== session) return;
    this.current = null;
    this.session = null;
    if (!session.closed && !session.destroyed) session.close();
  }
}

async function exchange(stream: ClientHttp2Stream, body: string): Promise<ServiceAnswer> {
  // Whatever comes after the answer has nobody left to tell.
  stream.on('error', () => {});
  const headers = new Promise<Record<string, unknown>>((resolve, reject) => {
    stream.once('response', resolve).once('error', reject);
    stream.once('close', () => reject(new Error(`the stream was closed with code ${stream.rstCode}`)));
  });
  stream.end(body);
  const answered = await headers;
  return readAnswer(Number(answered[constants.HTTP2_HEADER_STATUS]), answered, stream);
}
