import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { format, resolveConfig } from 'prettier';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AsyncApiDocument } from '../../apps/api/src/documents/asyncapi-document.js';
import type { OpenApiDocument } from '../../apps/api/src/documents/openapi-document.js';
import { openRestDoor, type RestDoor } from '../../apps/api/src/rest-door.testing.js';

const FOLDER = join(import.meta.dirname, '..', '..', 'docs', 'api');

/** The routes of the contract that exist so far, in the order of its table. */
const CONTRACT = `
  POST /v1/auth/signup, POST /v1/auth/login, POST /v1/auth/refresh, POST /v1/auth/logout,
  GET /v1/users/me, PATCH /v1/users/me, GET /v1/users/{userId}, GET /v1/users,
  POST /v1/conversations, GET /v1/conversations, GET /v1/conversations/{conversationId},
  PATCH /v1/conversations/{conversationId}, PUT /v1/conversations/{conversationId}/members,
  GET /v1/conversations/{conversationId}/members, POST /v1/conversations/{conversationId}/messages,
  GET /v1/conversations/{conversationId}/messages, GET /v1/conversations/{conversationId}/messages/{messageId},
  PATCH /v1/conversations/{conversationId}/messages/{messageId},
  DELETE /v1/conversations/{conversationId}/messages/{messageId},
  PUT /v1/conversations/{conversationId}/messages/{messageId}/reactions/{emoji},
  DELETE /v1/conversations/{conversationId}/messages/{messageId}/reactions/{emoji},
  PUT /v1/conversations/{conversationId}/read,
  GET /v1/conversations/{conversationId}/messages/{messageId}/receipts,
  PUT /v1/conversations/{conversationId}/settings, POST /v1/sync, GET /v1/connect,
  POST /v1/presence/query,
  GET /v1/devices, PUT /v1/devices/{deviceId}, GET /v1/devices/{deviceId}, DELETE /v1/devices/{deviceId},
  GET /v1/push/vapid-key,
  POST /v1/media/upload, GET /v1/media/{mediaId}, GET /v1/media/{mediaId}/thumbnail, GET /v1/media/{mediaId}/screen,
  OPTIONS /v1/media/tus, POST /v1/media/tus, PATCH /v1/media/tus/{uploadId}, DELETE /v1/media/tus/{uploadId},
  PUT /v1/users/me/blocks/{userId}, DELETE /v1/users/me/blocks/{userId}, GET /v1/users/me/blocks,
  PUT /v1/users/me/contacts/{userId}, DELETE /v1/users/me/contacts/{userId}, GET /v1/users/me/contacts`
  .split(',')
  .map((route) => route.trim());

interface Json {
  [key: string]: Json | Json[] | string | undefined;
}

let door: RestDoor;
let openApi: OpenApiDocument;
let asyncApi: AsyncApiDocument;
beforeAll(async () => {
  door = await openRestDoor();
  openApi = (await door.app.inject('/docs-json')).json();
  asyncApi = (await door.app.inject('/asyncapi.json')).json();
});
afterAll(() => door.close());

function operations(): { route: string; operation: Json }[] {
  return Object.entries(openApi.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      route: `${method.toUpperCase()} ${path}`,
      operation: operation as Json,
    })),
  );
}

async function readable(document: unknown): Promise<string> {
  const options = await resolveConfig(join(FOLDER, 'openapi.json'));
  return format(JSON.stringify(document), { ...options, parser: 'json' });
}

// `npm run docs:api` runs this file with -u, which writes the documents.
describe('the committed documents are those that the server gives', () => {
  it('openapi.json', async () => {
    await expect(await readable(openApi)).toMatchFileSnapshot(join(FOLDER, 'openapi.json'));
  });

  it('asyncapi.json', async () => {
    await expect(await readable(asyncApi)).toMatchFileSnapshot(join(FOLDER, 'asyncapi.json'));
  });
});

describe('the OpenAPI document', () => {
  it('has each route of the contract and no other', () => {
    expect(
      operations()
        .map(({ route }) => route)
        .toSorted(),
    ).toEqual(CONTRACT.toSorted());
  });

  it('has each route that the router serves, and the router serves each that it has', () => {
    const served = door.routes
      .filter((route) => / \/v1\//.test(route) && !route.startsWith('HEAD '))
      .map((route) => route.replace(/:(\w+)/g, '{$1}'));
    expect(served.toSorted()).toEqual(CONTRACT.toSorted());
  });

  it('says of each route what it is for, its answers and its refusals, and names it once', () => {
    const ids = new Set<unknown>();
    for (const { route, operation } of operations()) {
      expect(operation['summary'], route).toBeTruthy();
      expect(ids, route).not.toContain(operation['operationId']);
      ids.add(operation['operationId']);
      const statuses = Object.keys(operation['responses'] as Json);
      expect(
        statuses.some((status) => status.startsWith('2')),
        route,
      ).toBe(true);
      expect(statuses, route).toEqual(expect.arrayContaining(['400', '429', '500', '503']));
      const isPublic = /\/auth\/(signup|login|refresh)$|^OPTIONS /.test(route);
      // A link to a medium carries its own signature instead of a token.
      const takesLinks = route.startsWith('GET /v1/media/');
      const withToken = takesLinks ? [{ accessToken: [] }, {}] : [{ accessToken: [] }];
      expect(operation['security'], route).toEqual(isPublic ? [] : withToken);
      const inPath = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const parameters = (operation['parameters'] ?? []) as Json[];
      const declared = parameters.filter((parameter) => parameter['in'] === 'path').map(({ name }) => name);
      expect(declared, route).toEqual(inPath);
    }
  });
});

it('each body, answer and event has an example', () => {
  const contents = [...JSON.stringify(openApi).matchAll(/"application\/(?:problem\+)?json":/g)];
  expect(contentsOf()).toHaveLength(contents.length);
  const without = contentsOf().filter(({ content }) => !hasExample(content));
  expect(without.map(({ at }) => at)).toEqual([]);
  const events = Object.values(asyncApi.components.messages).filter(({ examples }) => examples.length === 0);
  expect(events.map(({ name }) => name)).toEqual([]);
});

describe.each(['openapi', 'asyncapi'] as const)('in %s.json', (which) => {
  const document = (): Json => (which === 'openapi' ? openApi : asyncApi) as unknown as Json;

  it('each reference leads somewhere', () => {
    const references = [...JSON.stringify(document()).matchAll(/"\$ref":"([^"]+)"/g)].map(([, path]) => path as string);
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references) expect(resolve(document(), reference), reference).toBeDefined();
  });

  it('each component is reached, has a plain name and says something', () => {
    const text = JSON.stringify(document());
    const parts = Object.entries(document()['components'] as Json).filter(([kind]) => kind !== 'securitySchemes');
    for (const [kind, components] of parts) {
      for (const [name, component] of Object.entries(components as Json)) {
        expect(name).toMatch(/^[\w.-]+$/);
        expect(Object.keys(component as Json), name).not.toEqual([]);
        expect(text, name).toContain(`"#/components/${kind}/${name}"`);
      }
    }
  });

  it('each example fits its schema, and a wrong one would not', () => {
    const validator = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
    validator.addSchema(document(), 'document');
    const examples = which === 'openapi' ? openApiExamples() : asyncApiExamples();
    expect(examples.length).toBeGreaterThan(which === 'openapi' ? 200 : 40);
    for (const { at, value } of examples) {
      const validate = validator.getSchema(`document#${at.schema}`) as ValidateFunction;
      expect(validate(value), `${at.example}: ${JSON.stringify(validate.errors)}`).toBe(true);
      expect(validate(['never']), at.example).toBe(false);
    }
  });
});

interface Example {
  at: { example: string; schema: string };
  value: unknown;
}

function contentsOf(): { at: string; content: Json }[] {
  return operations().flatMap(({ route, operation }) => {
    const [method, path] = route.split(' ') as [string, string];
    const base = `/paths/${escape(path)}/${method.toLowerCase()}`;
    const responses = Object.entries(operation['responses'] as Json).map(([status, response]) => ({
      at: `${base}/responses/${status}/content`,
      contents: ((response as Json)['content'] ?? {}) as Json,
    }));
    const body = operation['requestBody'] as Json | undefined;
    const all = body
      ? [...responses, { at: `${base}/requestBody/content`, contents: body['content'] as Json }]
      : responses;
    return all.flatMap(({ at, contents }) =>
      // Files are of any type and have no example.
      Object.entries(contents)
        .filter(([type]) => type.endsWith('json'))
        .map(([type, content]) => ({ at: `${at}/${escape(type)}`, content: content as Json })),
    );
  });
}

function hasExample(content: Json): boolean {
  return content['example'] !== undefined || Object.keys((content['examples'] ?? {}) as Json).length > 0;
}

function openApiExamples(): Example[] {
  return contentsOf().flatMap(({ at, content }) => {
    const named = Object.entries((content['examples'] ?? {}) as Json).map(([name, example]) => ({
      at: { example: `${at}/examples/${name}`, schema: `${at}/schema` },
      value: (resolve(openApi as unknown as Json, (example as Json)['$ref'] as string) as Json)['value'] as unknown,
    }));
    if (content['example'] === undefined) return named;
    return [...named, { at: { example: `${at}/example`, schema: `${at}/schema` }, value: content['example'] }];
  });
}

function asyncApiExamples(): Example[] {
  return Object.entries(asyncApi.components.messages).flatMap(([key, message]) =>
    message.examples.map(({ name, payload }) => ({
      at: { example: `${key} ${name}`, schema: `/components/messages/${key}/payload` },
      value: payload,
    })),
  );
}

function escape(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function resolve(document: Json, reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, part) => (value as Json | undefined)?.[part], document);
}
