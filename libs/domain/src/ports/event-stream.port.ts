/** Place of an event: consumers skip what they have seen by it. */
export interface StreamPosition {
  offset: number;
  index: number;
}

export interface StreamedEvent extends StreamPosition {
  partition: number;
  conversationId: string;
  /** Milliseconds since the epoch, of the record. */
  at: number;
  /** JSON of a `ConversationEvent`. */
  payload: string;
}

/**
 * The decided events, in the order of their partition, for ever. What consumers (push, search, webhooks, a rebuild of
 * the read models) read. Appending an event again under the same place changes nothing.
 */
export abstract class EventStream {
  abstract append(events: readonly StreamedEvent[]): Promise<void>;
  /** Events after `after` (null: from the beginning), at most `limit`, in order. */
  abstract read(partition: number, after: StreamPosition | null, limit: number): Promise<StreamedEvent[]>;
}
