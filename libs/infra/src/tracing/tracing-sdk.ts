import type { IncomingMessage } from 'node:http';
import { register } from 'node:module';
import { context, propagation, trace, type Attributes } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type ReadableSpan,
  type Span,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';

const EXPORT_INTERVAL_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 3_000;
const ATTRIBUTE_CHARS_MAX = 2_048;

/** Asked every few seconds by machines, or open for hours: spans of these say nothing. */
const UNTRACED_PATHS = /^\/(health\/|metrics|socket\.io\/)/;

/** What may carry a search text, a signature or a token in its query. */
const URL_ATTRIBUTES = ['http.url', 'http.target', 'url.full', 'url.path'];
const DROPPED_ATTRIBUTES = ['url.query'];

export interface Tracing {
  /** Sends what is still waiting and ends tracing. Bounded; never rejects. */
  stop(): Promise<void>;
}

export function startTracingSdk(endpoint: string, options: { serviceName: string; sampleRatio: number }): Tracing {
  const batches = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter({
      url: `${endpoint.replace(/\/+$/, '')}/v1/traces`,
      timeoutMillis: EXPORT_TIMEOUT_MS,
    }),
    scheduledDelayMillis: EXPORT_INTERVAL_MS,
    exportTimeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.serviceName }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    spanProcessors: [withoutQueries(batches)],
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_CHARS_MAX },
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());

  // Wraps only what is traced: by default every ES module of the process would go through a proxy.
  register('@opentelemetry/instrumentation/hook.mjs', import.meta.url, { data: { include: ['http', 'https', 'pg'] } });
  registerInstrumentations({
    tracerProvider: provider,
    instrumentations: [
      new HttpInstrumentation({
        ignoreIncomingRequestHook: (request: IncomingMessage) => UNTRACED_PATHS.test(request.url ?? ''),
      }),
      // The statement's text has placeholders; its parameters are what people wrote, and stay out.
      new PgInstrumentation({ requireParentSpan: true, enhancedDatabaseReporting: false, ignoreConnectSpans: true }),
    ],
  });
  return { stop: () => stop(provider) };
}

function withoutQueries(next: SpanProcessor): SpanProcessor {
  return {
    onStart: (span: Span, parent) => next.onStart(span, parent),
    onEnd: (span: ReadableSpan) => {
      const attributes = span.attributes as Attributes;
      for (const name of URL_ATTRIBUTES) {
        const value = attributes[name];
        if (typeof value === 'string') attributes[name] = value.split('?', 1)[0];
      }
      for (const name of DROPPED_ATTRIBUTES) delete attributes[name];
      next.onEnd(span);
    },
    forceFlush: () => next.forceFlush(),
    shutdown: () => next.shutdown(),
  };
}

async function stop(provider: TracerProvider): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, STOP_TIMEOUT_MS);
  });
  // A collector that is gone is no reason to end badly.
  await Promise.race([provider.shutdown().catch(() => {}), late]);
  clearTimeout(timer);
}
