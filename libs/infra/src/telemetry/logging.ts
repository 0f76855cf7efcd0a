import type { LoggerService } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { AppConfig } from '../config/configuration.js';
import { LogOutput } from './log-output.js';
import { redact, redactText } from './redaction.js';
import { requestContext } from './request-context.js';

export type { Logger };

/** DI token of the process's logger. */
export const LOGGER = Symbol('Logger');

/** Log lines that wait for a reader of stdout; beyond that they are dropped, so that a stuck reader stops no message. */
const UNWRITTEN_LOG_BYTES_MAX = 4_000_000;
const FLUSH_TIMEOUT_MS = 500;

/**
 * One JSON object a line, with the id of the request and of the trace it belongs to. Never bodies, tokens, passwords or
 * message texts: every field and text passes redaction, also those of errors that libraries throw.
 */
export function createLogger(config: AppConfig['logging'], stream: DestinationStream = standardOutput()): Logger {
  return pino(
    {
      level: config.level,
      base: null,
      messageKey: 'message',
      timestamp: stdTimeFunctions.isoTime,
      mixin: whoIsAsking,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields) as Record<string, unknown>,
      },
      // redact() has reduced errors already; pino's own serializer would copy every field of them.
      serializers: { err: (error: unknown) => redact(error) },
      hooks: {
        logMethod(args, method) {
          const [first, ...rest] = args as unknown[];
          const fields = first instanceof Error ? { err: first } : first;
          const message = first instanceof Error && rest.length === 0 ? [first.message] : rest;
          method.apply(this, [fields, ...message].map(cleanText) as Parameters<typeof method>);
        },
      },
    },
    stream,
  );
}

/** Writes out what is still waiting, for half a second at most: the reader of stdout may be gone or stuck. */
export function flushLogger(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, FLUSH_TIMEOUT_MS);
    logger.flush(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function cleanText(value: unknown): unknown {
  return typeof value === 'string' ? redactText(value) : value;
}

let output: LogOutput | undefined;

function standardOutput(): DestinationStream {
  if (output) return output;
  const made = new LogOutput({ fd: 1, unwrittenBytesMax: UNWRITTEN_LOG_BYTES_MAX });
  process.on('exit', () => made.flushSync());
  return (output = made);
}

function whoIsAsking(): Record<string, string> {
  const requestId = requestContext.getStore()?.requestId;
  const traceId = trace.getActiveSpan()?.spanContext().traceId;
  return { ...(requestId && { requestId }), ...(traceId && { traceId }) };
}

/** Nest's own messages through our logger. Nest passes the context, and for errors a stack, as last arguments. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  /** What Nest says at each start (modules, routes) is news to developers only. */
  log(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: 'trace' | 'debug' | 'warn' | 'error' | 'fatal', message: unknown, rest: unknown[]): void {
    const words = rest.filter((part) => typeof part === 'string');
    const stack = words.find((part) => /\n\s+at /.test(part));
    const context = words.findLast((part) => part !== stack);
    const err = message instanceof Error ? message : rest.find((part) => part instanceof Error);
    const fields = { ...(context && { context }), ...(err && { err }), ...(stack && { stack }) };
    if (message instanceof Error) this.logger[level](fields, message.message);
    else if (typeof message === 'string') this.logger[level](fields, message);
    else this.logger[level]({ ...fields, details: message });
  }
}
