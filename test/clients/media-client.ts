import { MediaSchema, type Media } from '@parley/contracts';
import { refusalText, type RestAnswer } from './rest-client.js';
import type { TestUser } from './test-user.js';

export interface GivenFile {
  bytes: Uint8Array;
  fileName?: string;
  type?: string;
  field?: string;
}

/** Uploads as a browser's form does, and says what came of it. */
export async function uploadAnswer(
  user: TestUser,
  { bytes, fileName = 'engine.png', type = 'image/png', field = 'file' }: GivenFile,
): Promise<RestAnswer> {
  const form = new FormData();
  form.append(field, new Blob([new Uint8Array(bytes)], { type }), fileName);
  const headers = { authorization: `Bearer ${user.rest.token}` };
  const answer = await fetch(`${user.baseUrl}/v1/media/upload`, { method: 'POST', headers, body: form });
  const text = await answer.text();
  const isJson = /[/+]json\b/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, headers: answer.headers, text, json: isJson ? (JSON.parse(text) as unknown) : null };
}

export async function upload(user: TestUser, file: GivenFile): Promise<Media> {
  const answer = await uploadAnswer(user, file);
  if (answer.status !== 201) throw new Error(`upload: ${answer.status} ${answer.text.slice(0, 500)}`);
  return MediaSchema.strict().parse(answer.json);
}

export async function uploadRefusal(user: TestUser, file: GivenFile): Promise<string> {
  return refusalText(await uploadAnswer(user, file));
}

/** A GET whose body is bytes; with the user's token, or as an `<img>` sends it. */
export async function fetched(
  user: TestUser,
  path: string,
  {
    token = true,
    headers = {},
    method = 'GET',
  }: { token?: boolean; headers?: Record<string, string>; method?: string } = {},
): Promise<{ status: number; headers: Headers; bytes: Buffer }> {
  const answer = await fetch(new URL(path, user.baseUrl), {
    method,
    headers: { ...(token && { authorization: `Bearer ${user.rest.token}` }), ...headers },
  });
  return { status: answer.status, headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
}
