import type { StreamedEvent } from '@parley/domain';
import { int2, int4, int8, text, timestamptz, uuid } from '../sql/column.js';
import type { Fragment } from '../sql/fragment.js';

/** Events under their places; one that is there already stays. */
export const STREAMED: Fragment<StreamedEvent> = {
  name: 'streamed',
  columns: [
    int2('partition', (e) => e.partition),
    int8('"offset"', (e) => e.offset),
    int4('index', (e) => e.index),
    uuid('conversation_id', (e) => e.conversationId),
    timestamptz('recorded_at', (e) => e.at),
    text('payload', (e) => e.payload),
  ],
  sql: (rows) => `
    INSERT INTO event_stream (partition, "offset", index, conversation_id, recorded_at, payload)
    SELECT * FROM ${rows} ON CONFLICT DO NOTHING`,
};
