import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from '@parley/domain';
import type { Metrics } from './metrics.js';

export interface OperationsServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly metrics: Metrics;
  readonly health: Health;
}

export interface OperationsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * A small server of its own for METRICS_PORT: `/metrics`, and health with its reasons. It shares nothing with the public
 * port, so a scrape still works while that one is closed or overrun.
 * @throws Error of node:net when the port cannot be had
 */
export async function startOperationsServer(options: OperationsServerOptions): Promise<OperationsServer> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    answer(request, response, options).catch(() => {
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { metrics, health }: OperationsServerOptions,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics': {
      const text = await metrics.text();
      response.writeHead(200, { 'content-type': metrics.contentType, 'cache-control': 'no-store' }).end(text);
      return;
    }
    case '/health/live':
      json(response, await health.live(), {});
      return;
    case '/health/ready': {
      const { ready, missing } = await health.readiness();
      json(response, ready, missing.length === 0 ? {} : { missing });
      return;
    }
    default:
      response.writeHead(404).end();
  }
}

function json(response: ServerResponse, good: boolean, details: object): void {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  response
    .writeHead(good ? 200 : 503, headers)
    .end(JSON.stringify({ status: good ? 'ok' : 'unavailable', ...details }));
}
