import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import {
  ERROR_CODE_NAMES,
  ERROR_CODES,
  PAGE_ITEMS_DEFAULT,
  PAGE_ITEMS_MAX,
  ProblemSchema,
  type ErrorCode,
} from '@parley/contracts';
import type { z } from 'zod';
import { IS_PUBLIC } from '../auth/public.js';
import { toProblem } from '../http/problem.js';
import { routeInputsOf } from '../http/route-inputs.js';
import { answerExampleOf } from './answer-examples.js';
import { componentsOf, exampleOf, referenceTo, type JsonSchema } from './json-schemas.js';
import { operationOf, TAGS, type Answer, type OperationDescription } from './operation.js';

export interface OpenApiDocument {
  openapi: '3.1.0';
  info: JsonSchema;
  paths: Record<string, Record<string, JsonSchema>>;
  components: {
    schemas: Record<string, JsonSchema>;
    examples: Record<string, JsonSchema>;
    securitySchemes: JsonSchema;
  };
  [part: string]: unknown;
}

interface Route {
  path: string;
  method: string;
  controller: Type;
  handler: string;
  description: OperationDescription;
  isPublic: boolean;
}

const VERSION = '1.0.0';
/** What any request to the API can be refused with. */
const ALWAYS: readonly ErrorCode[] = [
  'validation_failed',
  'rate_limited',
  'internal',
  'overloaded',
  'store_unavailable',
];
const WITH_TOKEN: readonly ErrorCode[] = ['unauthenticated', 'token_expired', 'session_revoked'];
const WITH_BODY: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];
const REQUEST_ID_EXAMPLE = '5b0c7f0e-6f0c-4c53-9a53-0d0f2c1a7e11';

/** The OpenAPI document of these controllers: of each method that says `@Operation`. */
export function openApiDocument(controllers: readonly Type[]): OpenApiDocument {
  const routes = controllers.flatMap(routesOf).toSorted(byPathAndMethod);
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method] = operationObject(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Parley REST API',
      version: VERSION,
      description:
        'The second door beside the socket (see /asyncapi). Every refusal is a problem document (RFC 9457) with a stable `code`; unknown fields and query parameters are refused.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas: componentSchemas(paths, routes),
      examples: problemExamples(paths),
      securitySchemes: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

/** The routes of a controller that are described, whichever way Nest was told their paths. */
function routesOf(controller: Type): Route[] {
  const base = firstPath(Reflect.getMetadata(PATH_METADATA, controller));
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((handler) => {
    const method = prototype[handler];
    const description = typeof method === 'function' ? operationOf(method) : undefined;
    if (!method || !description) return [];
    const path = `/${base}/${firstPath(Reflect.getMetadata(PATH_METADATA, method))}`
      .replace(/\/+/g, '/')
      .replace(/(.)\/$/, '$1')
      .replace(/:(\w+)/g, '{$1}');
    const verb = RequestMethod[Reflect.getMetadata(METHOD_METADATA, method) as RequestMethod].toLowerCase();
    const isPublic = [method, controller].some((place) => Reflect.getMetadata(IS_PUBLIC, place) === true);
    return [{ path, method: verb, controller, handler, description, isPublic }];
  });
}

function firstPath(metadata: unknown): string {
  return String((Array.isArray(metadata) ? metadata[0] : metadata) ?? '');
}

function byPathAndMethod(a: Route, b: Route): number {
  const [left, right] = [`${a.path} ${a.method}`, `${b.path} ${b.method}`];
  if (left === right) throw new Error(`Two methods describe ${left}`);
  return left < right ? -1 : 1;
}

function operationObject({ controller, handler, description, isPublic }: Route): JsonSchema {
  const { params, query, body } = routeInputsOf(controller, handler);
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query')];
  return {
    operationId: description.id ?? handler,
    tags: [description.tag],
    summary: description.summary,
    ...(description.description && { description: description.description }),
    // Whoever fetches a file sends a token, or the link that carries its own signature.
    security: description.bytes ? [{ accessToken: [] }, {}] : isPublic ? [] : [{ accessToken: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: bodyObject(body) }),
    ...(description.upload && { requestBody: UPLOAD }),
    responses: {
      ...Object.fromEntries(
        description.answers.map((answer) => [answer.status, answerObject(answer, description.bytes)]),
      ),
      ...refusalObjects(description.refusals ?? [], isPublic, body !== null),
    },
  };
}

function parametersOf(schema: z.ZodType | null, place: 'path' | 'query'): JsonSchema[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = referenceTo(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...own } = property;
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description !== undefined && { description }),
      schema: name === 'limit' ? LIMIT : own,
    };
  });
}

/** The query carries digits, and a reader means a number. */
const LIMIT = { type: 'integer', minimum: 1, maximum: PAGE_ITEMS_MAX, default: PAGE_ITEMS_DEFAULT };

function bodyObject(schema: z.ZodType): JsonSchema {
  const example = exampleOf(schema);
  const content = { schema: referenceTo(schema, 'input'), ...(example !== undefined && { example }) };
  return { required: true, content: { 'application/json': content } };
}

const UPLOAD = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: { file: { type: 'string', contentMediaType: 'application/octet-stream' } },
        required: ['file'],
      },
    },
  },
};

function answerObject({ description, schema }: Answer, bytes = false): JsonSchema {
  const headers = { 'x-request-id': { description: 'The id of this request', schema: { type: 'string' } } };
  if (bytes) return { description, headers, content: { '*/*': {} } };
  if (!schema) return { description, headers };
  const content = { schema: referenceTo(schema, 'output'), example: answerExampleOf(schema) };
  return { description, headers, content: { 'application/json': content } };
}

function refusalObjects(
  refusals: readonly ErrorCode[],
  isPublic: boolean,
  hasBody: boolean,
): Record<string, JsonSchema> {
  const codes = new Set([...ALWAYS, ...(isPublic ? [] : WITH_TOKEN), ...(hasBody ? WITH_BODY : []), ...refusals]);
  const byStatus = Map.groupBy(codes, (code) => ERROR_CODES[code].status);
  return Object.fromEntries(
    [...byStatus].toSorted(([a], [b]) => a - b).map(([status, group]) => [status, refusalObject(group)]),
  );
}

function refusalObject(codes: readonly ErrorCode[]): JsonSchema {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  const waits = codes.some((code) => ERROR_CODES[code].retryable && code !== 'internal');
  return {
    description: codes.map((code) => `\`${code}\``).join(', '),
    ...(waits && { headers: { 'retry-after': { description: 'Seconds to wait', schema: { type: 'integer' } } } }),
    content: { 'application/problem+json': { schema: referenceTo(ProblemSchema, 'output'), examples } },
  };
}

/** One problem document for each code that a route refers to. */
function problemExamples(paths: OpenApiDocument['paths']): Record<string, JsonSchema> {
  const text = JSON.stringify(paths);
  const used = ERROR_CODE_NAMES.filter((code) => text.includes(`"#/components/examples/${code}"`));
  return Object.fromEntries(
    used.map((code) => {
      const { title: detail } = ERROR_CODES[code];
      return [code, { summary: detail, value: toProblem({ code, detail }, REQUEST_ID_EXAMPLE) }];
    }),
  );
}

/** What answers reach is described as answered; what only requests reach, as it may be sent. */
function componentSchemas(paths: OpenApiDocument['paths'], routes: readonly Route[]): Record<string, JsonSchema> {
  const operations = routes.map(({ path, method }) => paths[path]?.[method] ?? {});
  const sent = operations.map(({ parameters, requestBody }) => ({ parameters, requestBody }));
  const answered = operations.map(({ responses }) => responses);
  const schemas = { ...componentsOf(sent, 'input'), ...componentsOf(answered, 'output') };
  return Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
