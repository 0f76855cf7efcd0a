import type { Message } from '@parley/contracts';
import { memberOf, isExpired, NOT_FOUND } from './conversation.rules.js';
import { decideCreation, decideMembers, decideRename, decideSettings } from './decide-conversation.js';
import { decideMarks } from './decide-marks.js';
import type { MessageChange } from '../messages/message.projection.js';
import type { CommandRecord } from './commands/command-record.js';
import type {
  DeleteMessageCommand,
  EditMessageCommand,
  MessageFacts,
  ReactCommand,
  SendMessageCommand,
} from './commands/conversation-command.js';
import type { ConversationState, MaybeConversation, PriorSend } from './conversation.state.js';
import { type Decision, type RecordPlace, refused } from './decision.js';

/**
 * The one place where something is decided to happen in a conversation.
 *
 * Deterministic: it uses the state, the record, the record's place, and the earlier send with the same clientMsgId (if
 * any); no clock, no randomness, no tables, no configuration. Deciding a record again gives byte-identical events.
 */
export function decide(
  state: MaybeConversation,
  record: CommandRecord,
  place: RecordPlace,
  prior: PriorSend | null,
): Decision {
  const { command } = record;
  if (command.type === 'create-conversation') return decideCreation(state, record, command, place);
  if (state === null) return NOT_FOUND;
  switch (command.type) {
    case 'send-message':
      return decideSend(state, record.actorId, command, place, prior);
    case 'edit-message':
      return decideEdit(state, record.actorId, command, place);
    case 'delete-message':
      return decideDelete(state, record.actorId, command, place);
    case 'react':
      return decideReaction(state, record.actorId, command, place);
    case 'rename':
      return decideRename(state, record.actorId, command, place);
    case 'change-members':
      return decideMembers(state, record.actorId, command, place);
    case 'change-settings':
      return decideSettings(state, record.actorId, command, place);
    case 'advance-marks':
      return decideMarks(state, command, place);
  }
}

function decideSend(
  state: ConversationState,
  actorId: string,
  command: SendMessageCommand,
  place: RecordPlace,
  prior: PriorSend | null,
): Decision {
  if (!memberOf(state, actorId)) return NOT_FOUND;
  // A greater id is a row that a replay finds of its own future; an equal one is this very record.
  if (prior && BigInt(prior.messageId) < BigInt(place.messageId) && !isExpired(prior, place.at)) {
    if (prior.requestHash !== command.requestHash) {
      return refused('client_msg_id_reused', 'This clientMsgId was used for another message');
    }
    const { messageId, seq, rev, at } = prior;
    return { events: [], outcome: { kind: 'sent', messageId, seq, rev, at, duplicate: true } };
  }
  const refusal = command.refusedUnlessRepeated;
  if (refusal) return refused(refusal.code, refusal.detail);
  const seq = state.lastSeq + 1;
  const rev = state.lastRev + 1;
  const message: Message = {
    messageId: place.messageId,
    seq,
    rev,
    conversationId: state.conversationId,
    senderId: actorId,
    content: command.content,
    contentType: command.contentType,
    clientMsgId: command.clientMsgId,
    timestamp: new Date(place.at).toISOString(),
    media: command.media,
    replyToMessageId: command.replyToMessageId,
    editedAt: null,
    deletedAt: null,
    reactions: [],
  };
  return {
    events: [
      {
        type: 'message-sent',
        version: 1,
        conversationId: state.conversationId,
        at: place.at,
        message,
        requestHash: command.requestHash,
      },
    ],
    outcome: { kind: 'sent', messageId: place.messageId, seq, rev, at: place.at, duplicate: false },
  };
}

// Edits are decided without the row: a replay would see what later records made of it. So an edit of one's own message
// always gives an event, and wherever messages are read a deletion wins over any edit.
function decideEdit(
  state: ConversationState,
  actorId: string,
  command: EditMessageCommand,
  place: RecordPlace,
): Decision {
  const member = memberOf(state, actorId);
  if (!member || command.message.seq < member.visibleFromSeq) return NOT_FOUND;
  if (command.message.authorId !== actorId) return refused('forbidden', 'Only its author edits a message');
  const change = changeOf(state, command.message, place);
  const { content, mediaPreview } = command;
  return changed({ type: 'message-edited', ...change, content, ...(mediaPreview !== undefined && { mediaPreview }) });
}

function decideDelete(
  state: ConversationState,
  actorId: string,
  command: DeleteMessageCommand,
  place: RecordPlace,
): Decision {
  const member = memberOf(state, actorId);
  if (!member || command.message.seq < member.visibleFromSeq) return NOT_FOUND;
  const mayDelete = command.message.authorId === actorId || (state.type === 'group' && member.role === 'admin');
  if (!mayDelete) return refused('forbidden', 'Only its author or an admin deletes a message');
  const change = changeOf(state, command.message, place);
  return changed({ type: 'message-deleted', ...change, deletedBy: actorId });
}

function decideReaction(
  state: ConversationState,
  actorId: string,
  command: ReactCommand,
  place: RecordPlace,
): Decision {
  const member = memberOf(state, actorId);
  if (!member || command.message.seq < member.visibleFromSeq) return NOT_FOUND;
  const change = changeOf(state, command.message, place);
  return changed({
    type: 'reaction-changed',
    ...change,
    userId: actorId,
    emoji: command.emoji,
    present: command.present,
  });
}

/** What every change of a message says, in the order in which it is written to the stream. */
function changeOf(
  { conversationId, lastRev }: ConversationState,
  { messageId, seq }: MessageFacts,
  { at }: RecordPlace,
) {
  return { version: 1, conversationId, at, rev: lastRev + 1, messageId, seq } as const;
}

function changed(event: MessageChange): Decision {
  return { events: [event], outcome: { kind: 'changed', rev: event.rev } };
}
