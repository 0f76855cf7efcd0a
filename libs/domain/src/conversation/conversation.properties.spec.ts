import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConversationCommand } from './commands/conversation-command.js';
import { evolve } from './conversation.evolve.js';
import type { MaybeConversation } from './conversation.state.js';
import type { ConversationEvent } from './events/conversation-event.js';
import { GivenConversation, send, user } from './testing/given-conversation.js';

const people = ['a', 'b', 'c', 'd'] as const;
const person = fc.constantFrom(...people).map(user);
const facts = fc.record({
  seq: fc.integer({ min: 1, max: 12 }),
  messageId: fc.constantFrom('100', '200'),
  authorId: person,
});
const mark = fc.record({ seq: fc.integer({ min: 1, max: 12 }), messageId: fc.constant('100') });

type Type = Exclude<ConversationCommand['type'], 'create-conversation'>;
type CommandOf<Name extends Type> = Extract<ConversationCommand, { type: Name }>;

/** Every command but the first one of a conversation, and how often it is made. */
const commands: { [Name in Type]: fc.WeightedArbitrary<CommandOf<Name>> } = {
  'send-message': {
    weight: 6,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 8 }), fc.constantFrom('x', 'y'))
      .map(([id, text]) => send(`m${id}`, text) as CommandOf<'send-message'>),
  },
  'edit-message': {
    weight: 1,
    arbitrary: facts.map((message) => ({ type: 'edit-message', message, content: 'edited' })),
  },
  'delete-message': { weight: 1, arbitrary: facts.map((message) => ({ type: 'delete-message', message })) },
  react: {
    weight: 1,
    arbitrary: fc
      .tuple(facts, fc.boolean())
      .map(([message, present]) => ({ type: 'react', message, emoji: '👍', present })),
  },
  'change-members': {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('change-members' as const),
      add: fc.uniqueArray(person, { maxLength: 2 }),
      remove: fc.uniqueArray(person, { maxLength: 2 }),
      roles: fc.dictionary(person, fc.constantFrom('admin' as const, 'member' as const), { maxKeys: 2 }),
      membersMax: fc.constant(4),
    }),
  },
  rename: { weight: 1, arbitrary: fc.constantFrom('n1', 'n2').map((name) => ({ type: 'rename', name })) },
  'change-settings': { weight: 1, arbitrary: fc.boolean().map((pinned) => ({ type: 'change-settings', pinned })) },
  'advance-marks': {
    weight: 3,
    arbitrary: fc
      .array(fc.record({ userId: person, read: mark }, { requiredKeys: ['userId'] }), { maxLength: 3 })
      .map((marks) => ({ type: 'advance-marks', marks })),
  },
};
const command = fc.oneof(...(Object.values(commands) as fc.WeightedArbitrary<ConversationCommand>[]));

const step = fc.record({ actor: person, command, wait: fc.integer({ min: -5, max: 5 }) });
const steps = fc.array(step, { maxLength: 60 });

function run(list: { actor: string; command: ConversationCommand; wait: number }[]): GivenConversation {
  const given = new GivenConversation();
  const memberIds = [user('b'), user('c')];
  given.when(user('a'), { type: 'create-conversation', conversationType: 'group', name: null, memberIds });
  let at = 0;
  // Times step back too: the log's clock is not ours.
  for (const { actor, command: next, wait } of list) given.when(actor, next, (at += wait));
  return given;
}

const fold = (events: readonly ConversationEvent[]): MaybeConversation =>
  events.reduce<MaybeConversation>((state, event) => evolve(state, structuredClone(event)), null);

describe('any sequence of commands', () => {
  it('numbers messages and revisions without a gap, and message ids grow with them', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { events } = run(list);
        const sent = events.flatMap((event) => (event.type === 'message-sent' ? [event.message] : []));
        expect(sent.map((message) => message.seq)).toEqual(sent.map((_, index) => index + 1));
        const revs = events.flatMap((event) =>
          event.type === 'message-sent' ? [event.message.rev] : 'rev' in event ? [event.rev] : [],
        );
        expect(revs).toEqual(revs.map((_, index) => index + 1));
        const ids = sent.map((message) => BigInt(message.messageId));
        expect(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? 0n))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('gives byte-identical events when it is decided again', () => {
    fc.assert(
      fc.property(steps, (list) => {
        expect(JSON.stringify(run(list).events)).toBe(JSON.stringify(run(list).events));
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same state wherever the batch is cut, and from its events alone', () => {
    fc.assert(
      fc.property(steps, fc.nat(), (list, cut) => {
        const whole = run(list);
        const at = whole.events.length === 0 ? 0 : cut % whole.events.length;
        const before = fold(whole.events.slice(0, at));
        const resumed = whole.events
          .slice(at)
          .reduce<MaybeConversation>((state, event) => evolve(state, event), structuredClone(before));
        expect(resumed).toEqual(whole.state);
        expect(fold(whole.events)).toEqual(whole.state);
      }),
      { numRuns: 200 },
    );
  });

  it('moves marks forward only, keeps an admin while anybody is there, and never stores a clientMsgId twice', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { events } = run(list);
        const keys = events.flatMap((event) =>
          event.type === 'message-sent' ? [`${event.message.senderId}|${event.message.clientMsgId}`] : [],
        );
        expect(new Set(keys).size).toBe(keys.length);
        let state: MaybeConversation = null;
        for (const event of events) {
          const before: Map<string, number> = new Map();
          for (const [userId, member] of state?.members ?? []) before.set(userId, member.readSeq);
          state = evolve(state, event);
          for (const [userId, member] of state.members) {
            expect(member.readSeq).toBeGreaterThanOrEqual(before.get(userId) ?? 0);
            expect(member.readSeq).toBeLessThanOrEqual(state.lastSeq);
          }
        }
        // Between the events of one command there may be none; after the whole command there is one again.
        const admins = [...(state?.members.values() ?? [])].filter((member) => member.role === 'admin').length;
        expect(state?.admins).toBe(admins);
        expect(admins > 0 || state?.members.size === 0).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
