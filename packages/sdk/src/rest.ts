import { ParleyError } from './errors.js';
import type { TokenSource } from './tokens.js';
import type { Problem } from './wire.js';

const REST_TIMEOUT_MS = 15_000;

export type Fetch = typeof globalThis.fetch;

/** Query parameters; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface RestCall {
  readonly body?: unknown;
  readonly query?: Query;
  readonly token?: string | null;
}

/** One request. @throws ParleyError: what the server refused, `timeout`, or `network` */
export async function callRest(
  fetchNow: Fetch,
  baseUrl: string,
  method: string,
  path: string,
  { body, query, token }: RestCall = {},
): Promise<unknown> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), REST_TIMEOUT_MS);
  try {
    const answer = await fetchNow(baseUrl + path + queryText(query), {
      method,
      headers: {
        ...(token != null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: controller.signal,
    });
    const text = await answer.text();
    if (answer.ok) return text === '' ? null : (JSON.parse(text) as unknown);
    throw refusal(answer.status, text, answer.headers.get('retry-after'));
  } catch (cause) {
    if (cause instanceof ParleyError) throw cause;
    if (controller.signal.aborted) throw new ParleyError('timeout', `No answer to ${method} ${path}`);
    throw new ParleyError('network', cause instanceof Error ? cause.message : 'The server was not reached');
  } finally {
    clearTimeout(timer);
  }
}

function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}

function refusal(status: number, text: string, retryAfter: string | null): ParleyError {
  const retryAfterMs = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : undefined;
  try {
    const { code, detail, retryable, errors } = JSON.parse(text) as Problem;
    if (typeof code === 'string') {
      return new ParleyError(code, detail, { status, retryable, retryAfterMs, ...(errors && { errors }) });
    }
  } catch {
    // Something between here and the server answered in its own words.
  }
  const retryable = status >= 500 || status === 429;
  return new ParleyError('internal', `The server answered ${status}`, { status, retryable, retryAfterMs });
}

/** The signed-in side of REST: a token that has run out is renewed once. */
export class RestDoor {
  constructor(
    private readonly fetchNow: Fetch,
    private readonly baseUrl: string,
    private readonly tokens: TokenSource,
  ) {}

  async call<Answer>(method: string, path: string, more: { body?: unknown; query?: Query } = {}): Promise<Answer> {
    const attempt = async (fresh: boolean): Promise<Answer> =>
      (await callRest(this.fetchNow, this.baseUrl, method, `/v1${path}`, {
        ...more,
        token: await this.tokens.token(fresh),
      })) as Answer;
    try {
      return await attempt(false);
    } catch (cause) {
      if (!(cause instanceof ParleyError) || cause.code !== 'token_expired') throw cause;
      return attempt(true);
    }
  }
}
