import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AsyncApiDocument } from '../../apps/api/src/documents/asyncapi-document.js';
import type { OpenApiDocument } from '../../apps/api/src/documents/openapi-document.js';
import { TestApp } from '../clients/test-app.js';

const ANSWER_TIMEOUT_MS = 10_000;

const read = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'api', name), 'utf8'));
const openApi = read('openapi.json') as OpenApiDocument;
const asyncApi = read('asyncapi.json') as AsyncApiDocument;

/** In the order in which one person would call them, so that each finds what it is about. */
const REST_ORDER = `
  signUp logIn refresh getMe updateMe searchUsers getUser addContact listContacts removeContact blockUser
  listBlocks unblockUser createConversation listConversations getConversation renameConversation changeMembers
  listMembers changeSettings sendMessage getMessage getHistory editMessage react unreact markRead getReceipts
  registerDevice listDevices getDevice removeDevice getVapidKey
  uploadMedia getMedia getThumbnail getScreenPicture getTusExtensions beginUpload continueUpload abandonUpload
  queryPresence deleteMessage sync connect logOut`
  .trim()
  .split(/\s+/);
const SOCKET_ORDER = `
  presence_subscribe presence_unsubscribe send_message edit_message react unreact ack read_receipt typing sync heartbeat authenticate delete_message`
  .trim()
  .split(/\s+/);

interface Operation {
  operationId: string;
  method: string;
  path: string;
  requestBody?: { content: { 'application/json'?: { example: unknown }; 'multipart/form-data'?: unknown } };
  parameters?: { name: string; in: string; required: boolean }[];
}

const operations = new Map(
  Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const described = { ...operation, method, path } as unknown as Operation;
      return [described.operationId, described] as const;
    }),
  ),
);

const validator = new Ajv2020({ strict: false, validateFormats: false });
validator.addSchema(openApi, 'openapi');
validator.addSchema(asyncApi, 'asyncapi');

function misfit(document: string, pointer: string, value: unknown): unknown {
  const validate = validator.getSchema(`${document}#${pointer}`) as ValidateFunction;
  return validate(value) ? null : validate.errors;
}

/** The ids that the documents tell their story with, and what stands for them in this run. */
const real = new Map<string, string>();
const ADA = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90';
const CONVERSATION = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91';
const CHARLES = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92';
const MESSAGE = '764123456789012480';
const REFRESH_TOKEN = 'opaque';
const MEDIUM = 'the medium that was uploaded';
const UPLOAD = 'the upload that was begun';
const UPLOADED = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** What a client of the protocol says beside, by operation. */
const TUS_HEADERS: Record<string, Record<string, string>> = {
  beginUpload: { 'upload-length': '8' },
  continueUpload: { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
};
const ACCESS_TOKEN = 'a fresh access token';

function made<Value>(example: Value): Value {
  let text = JSON.stringify(example);
  for (const [shown, actual] of real) text = text.replaceAll(JSON.stringify(shown), () => JSON.stringify(actual));
  return JSON.parse(text) as Value;
}

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start();
  real.set(CHARLES, (await app.user('Charles')).userId);
});
afterAll(() => app.stop());

async function call(operation: Operation): Promise<{ status: number; body: unknown }> {
  const { method, path, parameters = [], requestBody } = operation;
  const inPath: Record<string, string> = {
    conversationId: real.get(CONVERSATION) ?? '',
    messageId: real.get(MESSAGE) ?? '',
    userId: real.get(CHARLES) ?? '',
    deviceId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7bd1',
    emoji: encodeURIComponent('👍'),
    mediaId: real.get(MEDIUM) ?? '',
    uploadId: real.get(UPLOAD) ?? '',
  };
  const query = parameters.some(({ name }) => name === 'search') ? '?search=Charles' : '';
  const url = app.url + path.replace(/\{(\w+)\}/g, (_, name: string) => inPath[name] ?? '') + query;
  const headers: Record<string, string> = { authorization: `Bearer ${real.get(ACCESS_TOKEN)}` };
  const init: RequestInit = { method: method.toUpperCase(), headers };
  if (path.startsWith('/v1/media/tus')) {
    Object.assign(headers, { 'tus-resumable': '1.0.0' }, TUS_HEADERS[operation.operationId]);
    if (operation.operationId === 'continueUpload') init.body = 'half';
  }
  const json = requestBody?.content['application/json'];
  if (json) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(made(json.example));
  } else if (requestBody) {
    const form = new FormData();
    form.append('file', new Blob([UPLOADED]), 'engine.png');
    init.body = form;
  }
  const answer = await fetch(url, init);
  const location = answer.headers.get('location');
  if (location) real.set(UPLOAD, location.slice(location.lastIndexOf('/') + 1));
  const text = await answer.text();
  const isJson = /\bjson\b/.test(answer.headers.get('content-type') ?? '');
  return { status: answer.status, body: isJson ? JSON.parse(text) : null };
}

/** What later examples speak of: tokens, the group, the message. */
async function remember(id: string, body: unknown): Promise<void> {
  const fields = body as { accessToken?: string; refreshToken?: string; user?: { userId: string }; messageId?: string };
  if (fields?.accessToken && fields.refreshToken && fields.user) {
    real.set(ACCESS_TOKEN, fields.accessToken).set(REFRESH_TOKEN, fields.refreshToken).set(ADA, fields.user.userId);
  }
  if (id === 'uploadMedia') real.set(MEDIUM, (body as { mediaId: string }).mediaId);
  if (id === 'sendMessage' && fields.messageId) real.set(MESSAGE, fields.messageId);
  if (id === 'createConversation') real.set(CONVERSATION, await groupOfAda());
}

async function groupOfAda(): Promise<string> {
  const grace = await app.user('Grace');
  const headers = { authorization: `Bearer ${real.get(ACCESS_TOKEN)}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ type: 'group', name: 'Engine', memberIds: [grace.userId] });
  const answer = await fetch(`${app.url}/v1/conversations`, { method: 'POST', headers, body });
  return ((await answer.json()) as { conversationId: string }).conversationId;
}

it('every operation and every event has its turn', () => {
  expect(REST_ORDER.toSorted()).toEqual([...operations.keys()].toSorted());
  const events = Object.keys(asyncApi.components.messages)
    .filter((key) => key.startsWith('client.'))
    .map((key) => key.slice('client.'.length));
  expect(SOCKET_ORDER.toSorted()).toEqual(events.toSorted());
});

describe('the examples of openapi.json, called in order on the running application', () => {
  it.each(REST_ORDER.filter((id) => id !== 'logOut'))('%s is answered as it says', async (id) => {
    await expectAnswerAsDescribed(id);
  });
});

describe('the examples of asyncapi.json, emitted in order on the running application', () => {
  let socket: Socket;
  beforeAll(async () => {
    const auth = made(asyncApi.components.messages['handshake']?.examples[0]?.payload) as Record<string, unknown>;
    socket = io(app.url, { auth, transports: ['websocket'], reconnection: false });
    await new Promise<void>((resolve, reject) => socket.on('connect', resolve).on('connect_error', reject));
  });
  afterAll(() => {
    socket.close();
  });

  it.each(SOCKET_ORDER)('%s is answered as it says', async (event) => {
    const [example] = asyncApi.components.messages[`client.${event}`]?.examples ?? [];
    const payload = made(example?.payload) as { clientMsgId?: string };
    // The example's own id was used over REST just now.
    if (payload.clientMsgId) payload.clientMsgId = randomUUID();
    const answer = (await socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(event, payload)) as { messageId?: string };
    expect(answer, JSON.stringify(answer)).toMatchObject({ ok: true });
    expect(misfit('asyncapi', `/components/messages/answer.${event}/payload`, answer)).toBeNull();
    if (event === 'send_message') real.set(MESSAGE, String(answer.messageId));
  });
});

it('logOut is answered as it says', async () => {
  await expectAnswerAsDescribed('logOut');
});

/** Null when the document says that this answer has no JSON. */
function hasNoJson({ path, method }: Operation, status: number): unknown {
  const operation = openApi.paths[path]?.[method] as { responses: Record<string, { content?: object }> };
  const { content = {} } = operation.responses[status] ?? { content: { undescribed: true } };
  return Object.keys(content).some((type) => type !== '*/*') ? `${status} without JSON` : null;
}

async function expectAnswerAsDescribed(id: string): Promise<void> {
  const operation = operations.get(id) as Operation;
  const { status, body } = await call(operation);
  expect(status, JSON.stringify(body)).toBeGreaterThanOrEqual(200);
  expect(status, JSON.stringify(body)).toBeLessThan(300);
  const route = encodeURIComponent(operation.path.replaceAll('/', '~1'));
  const response = `/paths/${route}/${operation.method}/responses/${status}`;
  const problems =
    body === null
      ? hasNoJson(operation, status)
      : misfit('openapi', `${response}/content/application~1json/schema`, body);
  expect(problems).toBeNull();
  await remember(id, body);
}
