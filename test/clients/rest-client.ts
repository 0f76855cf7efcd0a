import { ERROR_CODES, ProblemSchema, type Problem } from '@parley/contracts';
import type { z } from 'zod';

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed when the answer says that it is JSON. */
  readonly json: unknown;
}

export interface RestRequest {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly rawBody?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A bare HTTP client: one base address and perhaps a token. It retries nothing and hides nothing. */
export class RestClient {
  constructor(
    readonly baseUrl: string,
    public token?: string,
  ) {}

  async call(method: string, path: string, { body, rawBody, headers }: RestRequest = {}): Promise<RestAnswer> {
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body));
    const answer = await fetch(this.baseUrl + path, {
      method,
      headers: {
        ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
        ...(payload !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload !== undefined && { body: payload }),
      redirect: 'manual',
    });
    const text = await answer.text();
    const isJson = /[/+]json\b/.test(answer.headers.get('content-type') ?? '');
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      json: isJson ? (JSON.parse(text) as unknown) : null,
    };
  }

  /** The answer's body, which must have this status and fit this schema. */
  async want<Schema extends z.ZodType>(
    status: number,
    schema: Schema,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<z.output<Schema>> {
    const answer = await this.call(method, path, { body });
    if (answer.status !== status) {
      throw new Error(`${method} ${path}: ${answer.status} instead of ${status}: ${answer.text.slice(0, 500)}`);
    }
    return schema.parse(answer.json);
  }

  async wantEmpty(status: number, method: string, path: string, body?: unknown): Promise<void> {
    const answer = await this.call(method, path, { body });
    if (answer.status !== status || answer.text !== '') {
      throw new Error(
        `${method} ${path}: ${answer.status} instead of an empty ${status}: ${answer.text.slice(0, 500)}`,
      );
    }
  }

  /** `404 not_found`, or `400 validation_failed content:empty`: what was refused, after its document was checked. */
  async refusal(method: string, path: string, body?: unknown): Promise<string> {
    return refusalText(await this.call(method, path, { body }));
  }
}

/** The problem document of a refusal; every rule of the contract about its shape is checked on the way. */
export function problemOf(answer: RestAnswer): Problem {
  if (answer.status < 400) throw new Error(`Not refused: ${answer.status} ${answer.text.slice(0, 300)}`);
  const type = answer.headers.get('content-type') ?? 'none';
  if (!type.startsWith('application/problem+json')) {
    throw new Error(`A refusal of type ${type}: ${answer.status} ${answer.text.slice(0, 300)}`);
  }
  const problem = ProblemSchema.strict().parse(answer.json);
  const { status, retryable } = ERROR_CODES[problem.code];
  if (problem.status !== answer.status || status !== answer.status || problem.retryable !== retryable) {
    throw new Error(`Status and code do not fit: ${answer.status} ${answer.text.slice(0, 300)}`);
  }
  if (problem.requestId === '' || problem.requestId !== answer.headers.get('x-request-id')) {
    throw new Error(`requestId and x-request-id differ: ${answer.text.slice(0, 300)}`);
  }
  if ((status === 429 || status === 503) && !/^[1-9]\d*$/.test(answer.headers.get('retry-after') ?? '')) {
    throw new Error(`${problem.code} without Retry-After`);
  }
  return problem;
}

export function refusalText(answer: RestAnswer): string {
  const { status, code, errors = [] } = problemOf(answer);
  return [`${status} ${code}`, ...errors.map((error) => `${error.path}:${error.code}`)].join(' ');
}
