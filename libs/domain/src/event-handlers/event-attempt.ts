import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { StreamedEvent } from '../ports/event-stream.port.js';
import type { DurableEventHandler } from './durable-event-handler.js';

/** What an attempt came to: `stopped` says that it was cut off and proves nothing. */
export type AttemptResult = { is: 'handled' } | { is: 'failed'; error: string } | { is: 'stopped' };

const ERROR_CHARS_MAX = 1_000;

/** The event, or null for what no version of this program wrote. */
export function readEvent(payload: string): ConversationEvent | null {
  try {
    const event = JSON.parse(payload) as ConversationEvent | null;
    return typeof event?.type === 'string' && typeof event.conversationId === 'string' ? event : null;
  } catch {
    return null;
  }
}

/** One attempt, in its time. Never rejects. */
export async function attemptEvent(
  handler: DurableEventHandler,
  streamed: StreamedEvent,
  event: ConversationEvent,
  { attempt, stop }: { attempt: number; stop: AbortSignal },
): Promise<AttemptResult> {
  const { partition, offset, index } = streamed;
  const late = new AbortController();
  const signal = AbortSignal.any([stop, late.signal]);
  const ended = new Promise<AttemptResult>((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(
        stop.aborted ? { is: 'stopped' } : { is: 'failed', error: `Took longer than ${handler.attemptMsMax} ms` },
      );
    });
  });
  const timer = setTimeout(() => late.abort(), handler.attemptMsMax);
  const delivery = { eventId: `${partition}:${offset}:${index}`, place: { partition, offset, index }, attempt, signal };
  try {
    return await Promise.race([run(handler, event, delivery), ended]);
  } finally {
    clearTimeout(timer);
  }
}

async function run(
  handler: DurableEventHandler,
  event: ConversationEvent,
  delivery: Parameters<DurableEventHandler['handle']>[1],
): Promise<AttemptResult> {
  try {
    await handler.handle(event, delivery);
    return { is: 'handled' };
  } catch (error) {
    return { is: 'failed', error: describe(error).slice(0, ERROR_CHARS_MAX) };
  }
}

function describe(error: unknown): string {
  // NUL cannot be stored.
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replaceAll('\0', '');
}
