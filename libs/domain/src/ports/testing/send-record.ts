import { COMMAND_RECORD_VERSION, type CommandRecord } from '../../conversation/commands/command-record.js';

let made = 0;

/** A record that no other has: a message is sent in the conversation. */
export function sendRecord(conversationId: string, content = `text ${made}`): CommandRecord {
  made += 1;
  return {
    version: COMMAND_RECORD_VERSION,
    commandId: `process:${made}`,
    conversationId,
    actorId: '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90',
    origin: { processId: 'process', connectionId: null },
    command: {
      type: 'send-message',
      clientMsgId: `m${made}`,
      content,
      contentType: 'text',
      media: [],
      replyToMessageId: null,
      requestHash: 'hash',
    },
    submittedAt: 1_790_000_000_000,
  };
}
