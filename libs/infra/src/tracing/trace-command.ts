import { SpanStatusCode, trace } from '@opentelemetry/api';

const TRACER_NAME = 'parley';

/** Runs `run` inside a span of that name. Without a configured collector it costs a function call. */
export async function traceCommand<Result>(name: string, run: () => Promise<Result>): Promise<Result> {
  return trace.getTracer(TRACER_NAME).startActiveSpan(name, async (span) => {
    try {
      return await run();
    } catch (error) {
      // A refusal's code is bounded and tells no text of anyone; other errors are in the log under the same trace id.
      const code = (error as { code?: unknown } | null)?.code;
      span.setStatus({ code: SpanStatusCode.ERROR, message: typeof code === 'string' ? code : 'internal' });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Any of @nestjs/cqrs' buses. */
interface Bus {
  execute(message: object, ...rest: never[]): Promise<unknown>;
}

/**
 * Puts a span around everything that goes over the bus, whichever door it came through, named by the class of the
 * command or query. Called only when tracing is on, so that the bus is untouched otherwise.
 */
export function traceBus(bus: Bus): void {
  const execute = bus.execute.bind(bus);
  bus.execute = (message, ...rest) => traceCommand(message.constructor.name, () => execute(message, ...rest));
}
