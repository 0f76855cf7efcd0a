import type { CommandRecord } from '../conversation/commands/command-record.js';
import type { ConversationState } from '../conversation/conversation.state.js';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import type { LiveEvent } from '../live/live-event.js';
import type { Message } from '@parley/contracts';

/**
 * What the gateways are told of an event, or null when nobody is (own settings).
 *
 * @param state as it is after the event
 * @param changed the message as it is after the event, for events that change one
 */
export function toLiveEvent(
  event: ConversationEvent,
  state: ConversationState,
  record: CommandRecord,
  changed: Message | null,
): LiveEvent | null {
  const { conversationId, membershipEpoch } = state;
  switch (event.type) {
    case 'message-sent': {
      const { message } = event;
      const originConnectionId = record.origin.connectionId;
      const { submittedAt } = record;
      return { type: 'message-sent', conversationId, membershipEpoch, message, originConnectionId, submittedAt };
    }
    case 'message-edited':
    case 'message-deleted':
    case 'reaction-changed':
      return changed && { type: 'message-changed', conversationId, membershipEpoch, message: changed };
    case 'conversation-created': {
      const memberIds = event.members.map((member) => member.userId);
      return { type: 'conversation-created', conversationId, membershipEpoch, memberIds };
    }
    case 'conversation-renamed':
      return { type: 'conversation-renamed', conversationId, membershipEpoch, rev: event.rev, name: event.name };
    case 'members-changed': {
      const { rev, added, removed, roles } = event;
      // The event's own epoch, not the state's: a later event of the same command has moved that on already.
      const epoch = event.membershipEpoch;
      return { type: 'members-changed', conversationId, membershipEpoch: epoch, rev, added, removed, roles };
    }
    case 'marks-advanced': {
      const memberCount = state.members.size;
      return { type: 'marks-advanced', conversationId, membershipEpoch, memberCount, marks: event.marks };
    }
    case 'settings-changed':
      return null;
  }
}
