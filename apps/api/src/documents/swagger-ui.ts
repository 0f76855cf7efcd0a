import type { Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { openApiDocument } from './openapi-document.js';

const PATH = 'docs';

/**
 * Swagger UI writes its own style elements, so these pages alone may have inline styles. Its scripts come from here; the
 * pictures in its style sheet are `data:`.
 */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/** `/docs` and `/docs-json`, from the controllers that this application has; made when they are first asked for. */
export function serveSwaggerUi(app: NestFastifyApplication): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('onRequest', (request, reply, done) => {
    if (/^\/docs(?:[/?]|$)/.test(request.url)) reply.header('content-security-policy', POLICY);
    done();
  });
  const document = () => openApiDocument(controllersOf(app)) as unknown as OpenAPIObject;
  SwaggerModule.setup(PATH, app, document, {
    customSiteTitle: 'Parley REST API',
    raw: ['json'],
    jsonDocumentUrl: `${PATH}-json`,
    swaggerOptions: { persistAuthorization: false, displayRequestDuration: true },
  });
}

function controllersOf(app: NestFastifyApplication): Type[] {
  const modules = [...app.get(ModulesContainer).values()];
  return modules.flatMap(({ controllers }) => [...controllers.values()].map(({ metatype }) => metatype as Type));
}
