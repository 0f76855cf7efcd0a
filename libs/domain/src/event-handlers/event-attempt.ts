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

/** The attempts under way, each of which can be cut off. */
export type AttemptsUnderWay = Set<AbortController>;

const STOPPED = 'stopped';

/** Cuts off what is under way: it counts as not attempted. */
export function cutOff(attempts: AttemptsUnderWay): void {
  for (const attempt of attempts) attempt.abort(STOPPED);
}

/** One attempt, in its time. Never rejects. */
export async function attemptEvent(
  handler: DurableEventHandler,
  streamed: StreamedEvent,
  event: ConversationEvent,
  { attempt, underWay }: { attempt: number; underWay: AttemptsUnderWay },
): Promise<AttemptResult> {
  const { partition, offset, index } = streamed;
  // One of its own: signals that are derived from a long-lived one cost ten times as much, and stay with it.
  const end = new AbortController();
  const { signal } = end;
  underWay.add(end);
  const ended = new Promise<AttemptResult>((resolve) => {
    signal.addEventListener('abort', () => {
      const late = `Took longer than ${handler.attemptMsMax} ms`;
      resolve(signal.reason === STOPPED ? { is: 'stopped' } : { is: 'failed', error: late });
    });
  });
  const timer = setTimeout(() => end.abort(), handler.attemptMsMax);
  const delivery = { eventId: `${partition}:${offset}:${index}`, place: { partition, offset, index }, attempt, signal };
  try {
    return await Promise.race([run(handler, event, delivery), ended]);
  } finally {
    clearTimeout(timer);
    underWay.delete(end);
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
  try {
    // NUL cannot be stored.
    return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).replaceAll('\0', '');
  } catch {
    return 'Threw what has no text';
  }
}
