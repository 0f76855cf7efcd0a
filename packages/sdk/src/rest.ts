import { inTime, systemClock } from './clock.js';
import { ParleyError } from './errors.js';
import type { TokenSource } from './tokens.js';
import type { ConnectAnswer, Problem } from './wire.js';

const REST_TIMEOUT_MS = 15_000;

/** What is used of `fetch`; the platform's own fits. */
export type Fetch = (
  url: string,
  request: { method: string; headers: Record<string, string>; body?: string },
) => Promise<{
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

/** Looked up at each call: an application may replace it after this package was loaded. */
export const platformFetch: Fetch = (url, request) => globalThis.fetch(url, request);

/** Query parameters; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RestCall {
  readonly body?: unknown;
  readonly query?: Query | undefined;
  readonly token?: string | null;
}

/** Of the server, without a slash at its end. @throws ParleyError for what is no address */
export function baseUrl(url: string): string {
  if (!/^https?:\/\/./.test(url)) throw new ParleyError('validation_failed', `Not the url of a server: ${url}`);
  return url.replace(/\/+$/, '');
}

/** One request. @throws ParleyError: what the server refused, `timeout`, or `network` */
export async function callRest(
  fetchNow: Fetch,
  baseUrl: string,
  method: string,
  path: string,
  { body, query, token }: RestCall = {},
): Promise<unknown> {
  const request = {
    method,
    headers: {
      ...(token != null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const answered = async () => {
    const answer = await fetchNow(baseUrl + path + queryText(query), request);
    const { status, ok, headers } = answer;
    return { status, ok, text: await answer.text(), retryAfter: headers.get('retry-after') };
  };
  // The answer that comes too late is dropped: not every platform can abort a request.
  const late = `No answer to ${method} ${path}`;
  const { status, ok, text, retryAfter } = await inTime(systemClock, REST_TIMEOUT_MS, late, answered());
  if (!ok) throw refusal(status, text, retryAfter);
  try {
    return text === '' ? null : (JSON.parse(text) as unknown);
  } catch {
    throw new ParleyError('internal', `The server answered ${status}`, { status, retryable: true });
  }
}

/** Where an application gives half of a character, the server is to say what it thinks of that. */
function encoded(value: unknown): string {
  return encodeURIComponent(String(value).replace(/[\ud800-\udfff]/gu, '\0'));
}

/** The path of a request, in which each value is one part, whatever it consists of: none leads anywhere else. */
export function pathOf(texts: TemplateStringsArray, ...parts: readonly string[]): string {
  // Nothing and dots would be taken out of the path; this is no id of anything.
  return String.raw({ raw: texts }, ...parts.map((part) => encoded(part).replace(/^\.{0,2}$/, '%00')));
}

function queryText(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${pairs.map(([name, value]) => `${name}=${encoded(value)}`).join('&')}`;
}

/** What an answer that is none says. */
export function refusal(status: number, text: string, retryAfter: string | null): ParleyError {
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

/** Which gateway to use, for the one attempt that has this token: it is not renewed here. @throws ParleyError */
export async function askGateways(
  fetchNow: Fetch,
  baseUrl: string,
  token: string,
  region: string | undefined,
): Promise<ConnectAnswer> {
  return (await callRest(fetchNow, baseUrl, 'GET', '/v1/connect', { token, query: { region } })) as ConnectAnswer;
}

/** The signed-in side of REST: a token that has run out is renewed once. */
export class RestDoor {
  constructor(
    private readonly fetchNow: Fetch,
    private readonly baseUrl: string,
    private readonly tokens: TokenSource,
  ) {}

  async call<Answer>(method: string, path: string, more: Omit<RestCall, 'token'> = {}): Promise<Answer> {
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
