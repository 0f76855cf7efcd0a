import type { AdvanceMarksCommand, Mark } from './commands/conversation-command.js';
import type { ConversationState } from './conversation.state.js';
import type { Decision, MarkOutcome, RecordPlace } from './decision.js';
import type { MarksAdvanced } from './events/conversation-event.js';

/** Marks merge by maximum and never pass the last message; users who are not members are passed over in silence. */
export function decideMarks(state: ConversationState, command: AdvanceMarksCommand, place: RecordPlace): Decision {
  const advanced: MarksAdvanced['marks'] = [];
  const outcomes: MarkOutcome[] = [];
  for (const { userId, delivered, read } of command.marks) {
    const member = state.members.get(userId);
    if (!member) continue;
    const moves = (mark: Mark | undefined, from: number): Mark | undefined =>
      mark && mark.seq > from && mark.seq >= member.visibleFromSeq && mark.seq <= state.lastSeq ? mark : undefined;
    const newRead = moves(read, member.readSeq);
    // Who has read a message has received it.
    const furthest = read && (!delivered || read.seq > delivered.seq) ? read : delivered;
    const newDelivered = moves(furthest, member.deliveredSeq);
    outcomes.push({
      userId,
      readSeq: newRead?.seq ?? member.readSeq,
      readMessageId: newRead?.messageId ?? member.readMessageId,
      lastSeq: state.lastSeq,
    });
    if (!newRead && !newDelivered) continue;
    advanced.push({
      userId,
      ...(newDelivered ? { delivered: newDelivered } : {}),
      ...(newRead ? { read: newRead } : {}),
    });
  }
  if (advanced.length === 0) return { events: [], outcome: { kind: 'marked', marks: outcomes } };
  return {
    events: [
      { type: 'marks-advanced', version: 1, conversationId: state.conversationId, at: place.at, marks: advanced },
    ],
    outcome: { kind: 'marked', marks: outcomes },
  };
}
