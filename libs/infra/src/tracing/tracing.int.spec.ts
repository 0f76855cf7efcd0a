import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rspack } from '@rspack/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../postgres/embedded/testing.js';

const root = join(import.meta.dirname, '..', '..', '..', '..');

interface OtlpSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: { key: string; value: { stringValue?: string } }[];
}

/** Bundled as the applications are, because what can be traced depends on how modules are loaded. */
async function bundle(folder: string): Promise<void> {
  const compiler = rspack({
    mode: 'none',
    target: 'node',
    context: root,
    entry: { main: join(import.meta.dirname, 'testing', 'traced-process.ts') },
    output: {
      path: folder,
      filename: '[name].mjs',
      chunkFilename: '[id].mjs',
      module: true,
      chunkFormat: 'module',
      chunkLoading: 'import',
      library: { type: 'module' },
    },
    // Every package stays one, as in dist; only relative imports are bundled.
    externals: [/^[a-z@]/],
    externalsType: 'module',
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    module: {
      parser: { javascript: { importMeta: false } },
      rules: [
        {
          test: /\.ts$/,
          loader: 'builtin:swc-loader',
          options: { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' } },
          type: 'javascript/esm',
        },
      ],
    },
  });
  await new Promise<void>((resolve, reject) => {
    compiler.run((error, stats) => {
      if (error) reject(error);
      else if (stats?.hasErrors()) reject(new Error(stats.toString('errors-only')));
      else compiler.close(() => resolve());
    });
  });
}

describe('traces', () => {
  let postgres: TestPostgres;
  let folder: string;
  let collector: Server;
  let received: string[];

  beforeAll(async () => {
    postgres = await startTestPostgres();
    // Inside the project, so that the bundle finds the packages, as dist does.
    folder = await mkdtemp(join(root, 'node_modules', '.cache-tracing-'));
    await bundle(folder);
    received = [];
    collector = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (part: string) => (text += part));
      request.on('end', () => {
        if (request.method === 'POST' && request.url === '/v1/traces') received.push(text);
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(collector, 'listening');
  });
  afterAll(async () => {
    collector.close();
    await rm(folder, { recursive: true, force: true });
    await postgres.stop();
  });

  async function started(endpoint: string | undefined): Promise<{ child: ChildProcess; port: number }> {
    const child = spawn(process.execPath, [join(folder, 'main.mjs')], {
      env: { ...process.env, DATABASE_URL: postgres.url, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout! }))
      return { child, port: Number(line.split(' ')[1]) };
    throw new Error('the process ended before it was ready');
  }

  async function stopped(child: ChildProcess): Promise<number | null> {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    return ((await exit) as [number | null])[0];
  }

  it('of a request, its command and its statement reach the collector as one, without parameters or queries', async () => {
    const { port: collectorPort } = collector.address() as AddressInfo;
    const { child, port } = await started(`http://127.0.0.1:${collectorPort}/`);
    await (await fetch(`http://127.0.0.1:${port}/health/live`)).text();
    const answer = await fetch(`http://127.0.0.1:${port}/v1/echo?token=s3cret`);
    expect(await answer.json()).toEqual({ content: 'meet me at the harbour' });
    expect(await stopped(child)).toBe(0);

    const all = received.join('\n');
    const spans = received.flatMap((text) =>
      (JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] }).resourceSpans.flatMap(
        (resource) => resource.scopeSpans.flatMap((scope) => scope.spans),
      ),
    );
    const command = spans.find(({ name }) => name === 'SendMessage')!;
    const request = spans.find(({ spanId }) => spanId === command.parentSpanId)!;
    const statement = spans.find(({ parentSpanId, name }) => parentSpanId === command.spanId && /select/i.test(name))!;
    expect(new Set([command.traceId, request.traceId, statement.traceId]).size).toBe(1);
    expect(request.attributes.some(({ value }) => value.stringValue === '/v1/echo')).toBe(true);
    expect(all).toContain('parley-test');
    expect(all).not.toContain('harbour');
    expect(all).not.toContain('s3cret');
    expect(all).not.toContain('/health/live');
  });

  it('are neither made nor loaded when no collector is configured', async () => {
    received.length = 0;
    const { child, port } = await started(undefined);
    await (await fetch(`http://127.0.0.1:${port}/v1/echo`)).text();
    expect(await stopped(child)).toBe(0);
    expect(received).toEqual([]);
    // The first chunk names what a process loads at once.
    expect(await readFile(join(folder, 'main.mjs'), 'utf8')).not.toContain('@opentelemetry/');
  });

  it('stop the process in order although the collector is gone', async () => {
    const { child, port } = await started('http://127.0.0.1:9');
    await (await fetch(`http://127.0.0.1:${port}/v1/echo`)).text();
    const began = performance.now();
    expect(await stopped(child)).toBe(0);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
