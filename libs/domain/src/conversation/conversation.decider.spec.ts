import { describe, expect, it } from 'vitest';
import type { ChangeMembersCommand } from './commands/conversation-command.js';
import type { ConversationState } from './conversation.state.js';
import { DEDUPLICATION_MS } from './conversation.rules.js';
import type { Decision } from './decision.js';
import type { MessageSent } from './events/conversation-event.js';
import { direct, GivenConversation, group, send, user } from './testing/given-conversation.js';

const refusal = ({ outcome, events }: Decision): string =>
  outcome.kind === 'refused' && events.length === 0 ? outcome.code : `not refused: ${JSON.stringify(outcome)}`;
const stateOf = (given: GivenConversation): ConversationState => given.state as ConversationState;
const sentBy = (decision: Decision): MessageSent['message'] => (decision.events[0] as MessageSent).message;
const factsOf = (decision: Decision) => {
  const { messageId, seq, senderId } = sentBy(decision);
  return { messageId, seq, authorId: senderId };
};

describe('creating a conversation', () => {
  it('uses rev 1 and makes the creator of a group its admin', () => {
    const state = stateOf(group('a', 'b'));
    expect([state.lastRev, state.lastSeq, state.admins]).toEqual([1, 0, 1]);
    expect([...state.members.values()].map((member) => member.role)).toEqual(['admin', 'member']);
  });

  it('finds the existing one when it is asked for again', () => {
    const given = direct('a', 'b');
    const again = given.when(user('b'), {
      type: 'create-conversation',
      conversationType: 'direct',
      name: null,
      memberIds: [user('a')],
    });
    expect(again).toEqual({ events: [], outcome: { kind: 'created', existed: true } });
  });

  it('does not show an existing group to a creator who has left it', () => {
    const given = group('a', 'b');
    given.when(user('a'), {
      type: 'change-members',
      add: [],
      remove: [],
      roles: { [user('b')]: 'admin' },
      membersMax: 9,
    });
    given.when(user('a'), { type: 'change-members', add: [], remove: [user('a')], roles: {}, membersMax: 9 });
    const again = { type: 'create-conversation', conversationType: 'group', name: null, memberIds: [] } as const;
    expect(refusal(given.when(user('a'), { ...again, memberIds: [] }))).toBe('not_found');
  });
});

describe('sending', () => {
  it('numbers messages 1, 2, 3 and revisions after the creation', () => {
    const given = group('a', 'b');
    const sent = ['1', '2', '3'].map((id) => sentBy(given.when(user('b'), send(id))));
    expect(sent.map((message) => [message.seq, message.rev])).toEqual([
      [1, 2],
      [2, 3],
      [3, 4],
    ]);
  });

  it("moves its sender's own marks and nobody else's", () => {
    const given = group('a', 'b');
    const { messageId } = sentBy(given.when(user('b'), send('1')));
    const members = stateOf(given).members;
    expect(members.get(user('b'))).toMatchObject({ readSeq: 1, readMessageId: messageId, deliveredSeq: 1 });
    expect(members.get(user('a'))).toMatchObject({ readSeq: 0, readMessageId: null, deliveredSeq: 0 });
  });

  it('answers a repeated clientMsgId with the first message and writes nothing', () => {
    const given = group('a', 'b');
    const first = sentBy(given.when(user('a'), send('1')));
    const again = given.when(user('a'), send('1'));
    expect(again.events).toEqual([]);
    expect(again.outcome).toMatchObject({ kind: 'sent', messageId: first.messageId, seq: 1, duplicate: true });
  });

  it('refuses a clientMsgId that comes again with other content', () => {
    const given = group('a', 'b');
    given.when(user('a'), send('1', 'Hello'));
    expect(refusal(given.when(user('a'), send('1', 'Goodbye')))).toBe('client_msg_id_reused');
  });

  it('refuses what the command’s side would not let in, unless it repeats a message that is before it in the log', () => {
    const given = direct('a', 'b');
    const refusedUnlessRepeated = { code: 'blocked', detail: 'They do not want messages from you' } as const;
    const again = { ...send('1'), refusedUnlessRepeated };
    const { events, outcome } = given.when(user('a'), again);
    expect(events).toEqual([]);
    expect(outcome).toEqual({ kind: 'refused', ...refusedUnlessRepeated });
    const { messageId } = sentBy(given.when(user('a'), send('1')));
    expect(given.when(user('a'), again).outcome).toMatchObject({ kind: 'sent', messageId, duplicate: true });
    const reused = { ...send('1', 'Goodbye'), refusedUnlessRepeated };
    expect(refusal(given.when(user('a'), reused))).toBe('client_msg_id_reused');
  });

  it('keeps the clientMsgIds of different senders apart', () => {
    const given = group('a', 'b');
    given.when(user('a'), send('1', 'Hello'));
    expect(sentBy(given.when(user('b'), send('1', 'Goodbye'))).seq).toBe(2);
  });

  it('takes a clientMsgId as new after thirty days, by record time', () => {
    const given = group('a', 'b');
    given.when(user('a'), send('1'), 0);
    expect(given.when(user('a'), send('1'), DEDUPLICATION_MS - 1).events).toEqual([]);
    expect(sentBy(given.when(user('a'), send('1'), DEDUPLICATION_MS)).seq).toBe(2);
  });

  it('refuses a message from somebody who is not a member, like one to a conversation that does not exist', () => {
    const stranger = group('a', 'b').when(user('x'), send('1'));
    const nowhere = new GivenConversation().when(user('x'), send('1'));
    expect(refusal(stranger)).toBe('not_found');
    expect(stranger).toEqual(nowhere);
  });

  it('refuses a message from a removed member', () => {
    const given = group('a', 'b');
    given.when(user('a'), { type: 'change-members', add: [], remove: [user('b')], roles: {}, membersMax: 9 });
    expect(refusal(given.when(user('b'), send('1')))).toBe('not_found');
  });
});

describe('changing a message', () => {
  it('lets only its author edit it', () => {
    const given = group('a', 'b');
    const message = factsOf(given.when(user('b'), send('1')));
    expect(refusal(given.when(user('a'), { type: 'edit-message', message, content: 'x' }))).toBe('forbidden');
    expect(given.when(user('b'), { type: 'edit-message', message, content: 'x' }).outcome).toEqual({
      kind: 'changed',
      rev: 3,
    });
  });

  it('lets its author and admins of a group delete it, and nobody else', () => {
    const given = group('a', 'b', 'c');
    const message = factsOf(given.when(user('b'), send('1')));
    expect(refusal(given.when(user('c'), { type: 'delete-message', message }))).toBe('forbidden');
    expect(given.when(user('a'), { type: 'delete-message', message }).events).toHaveLength(1);
  });

  it('lets nobody delete the other one’s message in a direct conversation', () => {
    const given = direct('a', 'b');
    const message = factsOf(given.when(user('b'), send('1')));
    expect(refusal(given.when(user('a'), { type: 'delete-message', message }))).toBe('forbidden');
  });

  it('keeps the preview of a deleted last message empty, whatever edit comes after it', () => {
    const given = group('a', 'b');
    const message = factsOf(given.when(user('b'), send('1')));
    given.when(user('b'), { type: 'delete-message', message });
    given.when(user('b'), { type: 'edit-message', message, content: 'back again' });
    expect(stateOf(given).lastMessage).toMatchObject({ preview: '', deleted: true });
  });

  it('hides messages from before a join, for reactions too', () => {
    const given = group('a', 'b');
    const message = factsOf(given.when(user('b'), send('1')));
    given.when(user('a'), { type: 'change-members', add: [user('c')], remove: [], roles: {}, membersMax: 9 });
    const react = { type: 'react', message, emoji: '👍', present: true } as const;
    expect(refusal(given.when(user('c'), react))).toBe('not_found');
    expect(given.when(user('a'), react).events).toHaveLength(1);
  });
});

describe('changing members', () => {
  const change = (part: Partial<ChangeMembersCommand>): ChangeMembersCommand => ({
    type: 'change-members',
    add: [],
    remove: [],
    roles: {},
    membersMax: 3,
    ...part,
  });

  it('uses one rev for each kind of change', () => {
    const given = group('a', 'b');
    const { events } = given.when(
      user('a'),
      change({ remove: [user('b')], add: [user('c'), user('d')], roles: { [user('c')]: 'admin' } }),
    );
    expect(events.map((event) => 'rev' in event && event.rev)).toEqual([2, 3, 4]);
    expect(stateOf(given)).toMatchObject({ lastRev: 4, membershipEpoch: 4, admins: 2 });
  });

  it('sets no role of somebody who is removed with the same command', () => {
    const given = group('a', 'b');
    const both = change({ remove: [user('b')], roles: { [user('b')]: 'admin' } });
    expect(refusal(given.when(user('a'), both))).toBe('validation_failed');
  });

  it('lets members leave and do nothing else', () => {
    const given = group('a', 'b', 'c');
    expect(refusal(given.when(user('b'), change({ remove: [user('c')] })))).toBe('forbidden');
    expect(refusal(given.when(user('b'), change({ remove: [user('b')], add: [user('d')] })))).toBe('forbidden');
    expect(given.when(user('b'), change({ remove: [user('b')] })).events).toHaveLength(1);
  });

  it('keeps at least one admin', () => {
    const given = group('a', 'b');
    expect(refusal(given.when(user('a'), change({ remove: [user('a')] })))).toBe('last_admin');
    expect(refusal(given.when(user('a'), change({ roles: { [user('a')]: 'member' } })))).toBe('last_admin');
    const handOver = change({ remove: [user('a')], roles: { [user('b')]: 'admin' } });
    expect(given.when(user('a'), handOver).outcome.kind).toBe('changed');
  });

  it('lets the very last member go', () => {
    expect(group('a').when(user('a'), change({ remove: [user('a')] })).events).toHaveLength(1);
  });

  it('refuses more members than the limit', () => {
    const given = group('a', 'b');
    expect(refusal(given.when(user('a'), change({ add: [user('c'), user('d')] })))).toBe('members_limit');
    expect(given.when(user('a'), change({ add: [user('c')] })).events).toHaveLength(1);
  });

  it('never changes the members of a direct conversation', () => {
    const given = direct('a', 'b');
    expect(refusal(given.when(user('a'), change({ add: [user('c')] })))).toBe('conflict');
    expect(refusal(given.when(user('a'), change({ remove: [user('a')] })))).toBe('conflict');
  });

  it("begins a new member's marks and sight at its join, also when it comes back", () => {
    const given = group('a', 'b');
    given.when(user('a'), send('1'));
    given.when(user('a'), change({ remove: [user('b')] }));
    const { messageId } = sentBy(given.when(user('a'), send('2')));
    given.when(user('a'), change({ add: [user('b')] }));
    expect(stateOf(given).members.get(user('b'))).toMatchObject({
      visibleFromSeq: 3,
      joinedEpoch: 3,
      readSeq: 2,
      readMessageId: messageId,
      deliveredSeq: 2,
    });
  });

  it('writes nothing when nothing changes', () => {
    const given = group('a', 'b');
    expect(given.when(user('a'), change({ add: [user('b')], remove: [user('x')] }))).toEqual({
      events: [],
      outcome: { kind: 'changed', rev: 1 },
    });
  });
});

describe('advancing marks', () => {
  it('moves forward only, never past the last message, and counts reading as receiving', () => {
    const given = group('a', 'b');
    const first = factsOf(given.when(user('a'), send('1')));
    const second = factsOf(given.when(user('a'), send('2')));
    const mark = (read: { seq: number; messageId: string }) =>
      given.when('', { type: 'advance-marks', marks: [{ userId: user('b'), read }] });
    mark(second);
    expect(stateOf(given).members.get(user('b'))).toMatchObject({ readSeq: 2, deliveredSeq: 2 });
    expect(mark(first).events).toEqual([]);
    expect(mark({ seq: 3, messageId: '9' }).events).toEqual([]);
    expect(stateOf(given).lastRev).toBe(3);
  });

  it('passes over users who are not members', () => {
    const given = group('a', 'b');
    const first = factsOf(given.when(user('a'), send('1')));
    const decision = given.when('', { type: 'advance-marks', marks: [{ userId: user('x'), read: first }] });
    expect(decision).toEqual({ events: [], outcome: { kind: 'marked', marks: [] } });
  });
});

describe('settings', () => {
  it("change the caller's own view and keep what was not named", () => {
    const given = group('a', 'b');
    given.when(user('b'), { type: 'change-settings', pinned: true });
    given.when(user('b'), { type: 'change-settings', mutedUntil: 5 });
    expect(stateOf(given).members.get(user('b'))).toMatchObject({ pinned: true, mutedUntil: 5, archived: false });
    expect(given.when(user('b'), { type: 'change-settings', pinned: true }).events).toEqual([]);
  });
});
