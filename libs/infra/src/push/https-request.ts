import { request as requestPlain, type RequestOptions } from 'node:http';
import { request as requestSecure, type Agent } from 'node:https';
import { readAnswer, type ServiceAnswer } from './service-answer.js';

export interface PostOptions {
  headers: Record<string, string | number>;
  body: string | Buffer | null;
  /** Of the secure connections. */
  agent: Agent;
  withinMs: number;
}

/**
 * One POST over HTTP/1.1, the whole of it within its time. Redirects are not followed.
 * @throws Error when there is no whole answer in time
 */
export async function post(url: URL, { headers, body, agent, withinMs }: PostOptions): Promise<ServiceAnswer> {
  const deadline = AbortSignal.timeout(withinMs);
  const options: RequestOptions = { method: 'POST', headers, signal: deadline };
  try {
    return await new Promise<ServiceAnswer>((resolve, reject) => {
      const request =
        url.protocol === 'https:' ? requestSecure(url, { ...options, agent }) : requestPlain(url, options);
      request.on('error', reject);
      request.on('response', (response) => {
        readAnswer(response.statusCode ?? 0, response.headers, response).then(resolve, reject);
      });
      request.end(body ?? undefined);
    });
  } catch (error) {
    if (deadline.aborted) throw new Error(`no answer within ${withinMs} ms`, { cause: error });
    throw error;
  }
}
