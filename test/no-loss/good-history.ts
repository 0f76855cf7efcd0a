import type { Happening, HistoryEvent, SeenMessage } from './history.js';

const CONVERSATION = 'room';
export const USERS = ['ada', 'bob', 'cat'] as const;
export const MESSAGES = 60;
/** Cat is away for the messages after the first of these, and back for those from the second on. */
export const AWAY = { after: 30, backFrom: 36, goneRev: 33, backRev: 39 } as const;
const EDITED_SEQ = 10;
export const EDIT_REV = 12;
const KILLED_AT_SEQ = 21;
/** Answered `accepted`; how it ended is heard of by sending it again, or by an `ack`. */
export const ACCEPTED = { sentAgainSeq: 41, ackedSeq: 44 } as const;

type Add = (happening: Happening) => void;

/** A run in which nothing went wrong but the server's death after message 20; every rule has something to look at. */
export function goodHistory(): HistoryEvent[] {
  const happenings: Happening[] = [];
  const add: Add = (happening) => void happenings.push(happening);
  const messages: SeenMessage[] = [];
  for (const user of USERS) {
    add({ type: 'joined', device: `${user}-1`, user, conversation: CONVERSATION, visibleFromSeq: 1 });
  }
  for (let seq = 1; seq <= MESSAGES; seq++) {
    const message = sendOne(seq, add);
    messages.push(message);
    for (const reader of USERS) if (reader !== 'cat' || catIsThere(seq)) readOne(reader, message, add);
    if (seq === EDITED_SEQ) {
      messages[seq - 1] = { ...message, hash: 'edited' };
      add({ type: 'edit', conversation: CONVERSATION, user: message.senderId, seq, hash: 'edited' });
      for (const user of USERS) tell(user, EDIT_REV, add);
    }
    if (seq % 10 === 0) lookAround(messages, add);
    if (seq === AWAY.after) catGoes(add);
    if (seq === AWAY.backFrom - 1) catReturns(add);
    if (seq === AWAY.after) tell('bob', AWAY.goneRev, add);
    if (seq === AWAY.backFrom - 1) tell('bob', AWAY.backRev, add);
  }
  addStores(messages, add);
  return happenings.map((happening, i) => ({ ...happening, at: i * 10 }));
}

function tell(user: string, rev: number, add: Add): void {
  add({ type: 'told', device: `${user}-1`, user, conversation: CONVERSATION, rev });
}

function catIsThere(seq: number): boolean {
  return seq <= AWAY.after || seq >= AWAY.backFrom;
}

function sendOne(seq: number, add: Add): SeenMessage {
  const user = USERS[seq % 2] as string;
  const message = { seq, messageId: String(1000 + seq * 8), senderId: user, clientMsgId: `m${seq}`, hash: `h${seq}` };
  const key = { conversation: CONVERSATION, user, clientMsgId: message.clientMsgId };
  add({ type: 'invoke', ...key, hash: message.hash });
  if (seq === KILLED_AT_SEQ) {
    add({ type: 'fault', name: 'kill', phase: 'begin' });
    add({ type: 'fault', name: 'kill', phase: 'effect' });
    add({ type: 'unknown', ...key, reason: 'disconnected' });
    add({ type: 'fault', name: 'kill', phase: 'end' });
    add({ type: 'invoke', ...key, hash: message.hash });
  }
  if (seq === ACCEPTED.sentAgainSeq || seq === ACCEPTED.ackedSeq) add({ type: 'accepted', ...key });
  if (seq === ACCEPTED.sentAgainSeq) {
    add({ type: 'unknown', ...key, reason: 'silence' });
    add({ type: 'invoke', ...key, hash: message.hash });
  }
  const duplicate = seq === ACCEPTED.ackedSeq ? null : seq === KILLED_AT_SEQ || seq === ACCEPTED.sentAgainSeq;
  add({ type: 'stored', ...key, seq, messageId: message.messageId, duplicate });
  return message;
}

function readOne(reader: string, message: SeenMessage, add: Add): void {
  const place = { user: reader, conversation: CONVERSATION };
  const { seq, messageId } = message;
  add({ type: 'arrival', device: `${reader}-1`, ...place, message });
  add({ type: 'delivery', device: `${reader}-1`, ...place, message });
  if (seq % 5 !== 0) return;
  add({ type: 'read', ...place, lastReadSeq: seq });
  add({ type: 'mark', device: 'ada-1', ...place, kind: 'read', messageId });
}

function lookAround(messages: readonly SeenMessage[], add: Add): void {
  const seq = messages.length;
  const asked = { user: 'bob', conversation: CONVERSATION };
  add({ type: 'ask', id: seq, ...asked });
  const shown = messages.slice(-10).toReversed();
  const page = { order: 'newest-first', beside: null, limit: 10, visibleFromSeq: 1, hasMore: seq > 10 } as const;
  add({ type: 'page', id: seq, ...asked, ...page, messages: shown });
  add({ type: 'ask', id: seq + 1, ...asked, user: 'ada' });
  add({ type: 'view', id: seq + 1, ...asked, user: 'ada', lastSeq: seq, lastReadSeq: seq, unreadCount: 0 });
}

function catGoes(add: Add): void {
  const place = { user: 'cat', conversation: CONVERSATION };
  // Decided after the removal that was under way when it took its place in the log.
  add({ type: 'invoke', ...place, clientMsgId: 'late', hash: 'late' });
  add({ type: 'removing', ...place });
  add({ type: 'accepted', ...place, clientMsgId: 'late' });
  add({ type: 'removed', ...place, lastSeq: AWAY.after });
  add({ type: 'left', device: 'cat-1', ...place });
  add({ type: 'invoke', ...place, clientMsgId: 'refused', hash: 'refused' });
  add({ type: 'rejected', ...place, clientMsgId: 'refused', code: 'not_found', isFinal: true });
  add({ type: 'rejected', ...place, clientMsgId: 'late', code: 'not_found', isFinal: true });
  // Nobody heard of its end, and the next try was refused.
  add({ type: 'invoke', ...place, clientMsgId: 'silent', hash: 'silent' });
  add({ type: 'accepted', ...place, clientMsgId: 'silent' });
  add({ type: 'unknown', ...place, clientMsgId: 'silent', reason: 'silence' });
  add({ type: 'invoke', ...place, clientMsgId: 'silent', hash: 'silent' });
  add({ type: 'rejected', ...place, clientMsgId: 'silent', code: 'not_found', isFinal: false });
}

function catReturns(add: Add): void {
  const place = { user: 'cat', conversation: CONVERSATION };
  add({ type: 'returning', ...place });
  add({ type: 'joined', device: 'cat-1', ...place, visibleFromSeq: AWAY.backFrom });
  add({ type: 'returned', ...place, visibleFromSeq: AWAY.backFrom });
}

function addStores(messages: readonly SeenMessage[], add: Add): void {
  // Creation, then a rev for each message, for the edit, the removal and the return.
  let rev = 1;
  const revs = new Map<number, number>();
  add({ type: 'event', conversation: CONVERSATION, rev, added: USERS });
  for (const { seq, hash } of messages) {
    rev += 1;
    revs.set(seq, rev);
    add({ type: 'event', conversation: CONVERSATION, rev, seq, hash: seq === EDITED_SEQ ? `h${seq}` : hash });
    if (seq === EDITED_SEQ) {
      rev += 1;
      revs.set(seq, rev);
      add({ type: 'event', conversation: CONVERSATION, rev, seq, hash });
    }
    if (seq === AWAY.after) add({ type: 'event', conversation: CONVERSATION, rev: ++rev, removed: ['cat'] });
    if (seq === AWAY.backFrom - 1) add({ type: 'event', conversation: CONVERSATION, rev: ++rev, added: ['cat'] });
  }
  for (const message of messages) {
    add({ type: 'row', conversation: CONVERSATION, rev: revs.get(message.seq) as number, ...message });
  }
  add({ type: 'head', conversation: CONVERSATION, lastSeq: messages.length, lastRev: rev });
  for (const user of USERS) add({ type: 'final-mark', conversation: CONVERSATION, user, readSeq: messages.length });
}
