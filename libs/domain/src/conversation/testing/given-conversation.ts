import type { CommandRecord } from '../commands/command-record.js';
import type { ConversationCommand, SendMessageCommand } from '../commands/conversation-command.js';
import { decide } from '../conversation.decider.js';
import { evolve } from '../conversation.evolve.js';
import type { MaybeConversation, PriorSend } from '../conversation.state.js';
import type { Decision, RecordPlace } from '../decision.js';
import type { ConversationEvent } from '../events/conversation-event.js';
import { type PartitionClock, snowflake, tick } from '../snowflake.js';

export const CONVERSATION = '00000000-0000-4000-8000-0000000000c0';
export const START_MS = Date.UTC(2026, 10, 22, 10);

/** A user id that is easy to read in a failure: `user('a')`. */
export function user(name: string): string {
  return `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`;
}

/** A conversation under test: runs commands one after another, as a partition's owner does, and remembers everything. */
export class GivenConversation {
  state: MaybeConversation = null;
  readonly events: ConversationEvent[] = [];
  private clock: PartitionClock = { ms: 0, counter: 0 };
  private offset = 0;
  private readonly sends = new Map<string, PriorSend>();

  /** @param at when it happens, milliseconds after the start */
  when(actor: string, command: ConversationCommand, at = this.offset): Decision {
    const record = recordOf(actor, command);
    const time = START_MS + at;
    const clock = tick(this.clock, time);
    const place: RecordPlace = { partition: 3, offset: this.offset++, at: time, messageId: snowflake(3, clock) };
    const decision = decide(this.state, record, place, this.priorOf(record));
    for (const event of decision.events) {
      if (event.type === 'message-sent') {
        this.clock = clock;
        const { messageId, seq, rev, senderId, clientMsgId } = event.message;
        const prior = { messageId, seq, rev, at: event.at, requestHash: event.requestHash };
        this.sends.set(`${senderId}|${clientMsgId}`, prior);
      }
      this.state = evolve(this.state, event);
      this.events.push(event);
    }
    return decision;
  }

  private priorOf({ command, actorId }: CommandRecord): PriorSend | null {
    if (command.type !== 'send-message') return null;
    return this.sends.get(`${actorId}|${command.clientMsgId}`) ?? null;
  }
}

let commands = 0;

export function recordOf(actorId: string, command: ConversationCommand): CommandRecord {
  return {
    version: 1,
    commandId: `test-${++commands}`,
    conversationId: CONVERSATION,
    actorId,
    origin: { processId: 'test', connectionId: null },
    command,
    submittedAt: START_MS,
  };
}

export function group(...names: string[]): GivenConversation {
  const [creator = 'a', ...others] = names;
  const given = new GivenConversation();
  given.when(user(creator), {
    type: 'create-conversation',
    conversationType: 'group',
    name: 'Engine room',
    memberIds: others.map(user),
  });
  return given;
}

export function direct(one: string, other: string): GivenConversation {
  const given = new GivenConversation();
  given.when(user(one), {
    type: 'create-conversation',
    conversationType: 'direct',
    name: null,
    memberIds: [user(other)],
  });
  return given;
}

export function send(clientMsgId: string, content = 'Hello'): SendMessageCommand {
  return {
    type: 'send-message',
    clientMsgId,
    content,
    contentType: 'text',
    media: [],
    replyToMessageId: null,
    requestHash: `hash of ${content}`,
  };
}
