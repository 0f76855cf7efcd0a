import type { StreamedEvent } from '@parley/domain';
import { int2Array, int4Array, int8Array, textArray, timeArray, uuidArray } from '../sql/binary-array.js';
import type { Fragment } from '../sql/fragment.js';

/** Events under their places; one that is there already stays. */
export function eventStreamFragment(events: readonly StreamedEvent[]): Fragment {
  return {
    name: 'streamed',
    rows: events.length,
    columns: [
      { name: 'partition', type: 'int2[]', value: int2Array(events.map((e) => e.partition)) },
      { name: '"offset"', type: 'int8[]', value: int8Array(events.map((e) => e.offset)) },
      { name: 'index', type: 'int4[]', value: int4Array(events.map((e) => e.index)) },
      { name: 'conversation_id', type: 'uuid[]', value: uuidArray(events.map((e) => e.conversationId)) },
      { name: 'recorded_at', type: 'timestamptz[]', value: timeArray(events.map((e) => e.at)) },
      { name: 'payload', type: 'text[]', value: textArray(events.map((e) => e.payload)) },
    ],
    sql: (rows) => `
      INSERT INTO event_stream (partition, "offset", index, conversation_id, recorded_at, payload)
      SELECT * FROM ${rows} ON CONFLICT DO NOTHING`,
  };
}
