import { describe, expect, it } from 'vitest';
import { COMMAND_RECORD_VERSION, type CommandRecord, parseCommandRecord } from './command-record.js';

const RECORD: CommandRecord = {
  version: COMMAND_RECORD_VERSION,
  commandId: 'process:1',
  conversationId: 'conversation',
  actorId: 'actor',
  origin: { processId: 'process', connectionId: null },
  command: { type: 'rename', name: 'Name' },
  submittedAt: 0,
};

describe('a record of the command log', () => {
  it('is read as it was written', () => {
    expect(parseCommandRecord(JSON.stringify(RECORD))).toEqual(RECORD);
  });

  it.each([
    ['nothing', ''],
    ['half a record', JSON.stringify(RECORD).slice(0, 40)],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[]'],
    ['200,000 brackets', '['.repeat(200_000)],
    ['another version', JSON.stringify({ ...RECORD, version: 2 })],
    ['no conversation', JSON.stringify({ ...RECORD, conversationId: undefined })],
    ['no origin to answer', JSON.stringify({ ...RECORD, origin: null })],
    ['a command without a type', JSON.stringify({ ...RECORD, command: {} })],
  ])('is unreadable when it is %s', (_, payload) => {
    expect(parseCommandRecord(payload)).toBeNull();
  });
});
