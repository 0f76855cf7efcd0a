import type { Happening, HistoryEvent, SeenMessage } from './history.js';

const CONVERSATION = 'room';
export const USERS = ['ada', 'bob', 'cat'] as const;
export const MESSAGES = 60;
/** Cat is away for the messages after the first of these, and back for those from the second on. */
export const AWAY = { after: 30, backFrom: 36 } as const;
const EDITED_SEQ = 10;

/** A run in which nothing went wrong but the server's death after message 20; every rule has something to look at. */
export function goodHistory(): HistoryEvent[] {
  const happenings: Happening[] = [];
  const add = (happening: Happening): void => void happenings.push(happening);
  const messages: SeenMessage[] = [];
  let asks = 0;
  const catIsThere = (seq: number): boolean => seq <= AWAY.after || seq >= AWAY.backFrom;

  for (const user of USERS)
    add({ type: 'joined', device: `${user}-1`, user, conversation: CONVERSATION, visibleFromSeq: 1 });
  for (let seq = 1; seq <= MESSAGES; seq++) {
    const user = USERS[seq % 2] as string;
    const message = { seq, messageId: String(1000 + seq * 8), senderId: user, clientMsgId: `m${seq}`, hash: `h${seq}` };
    const key = { conversation: CONVERSATION, user, clientMsgId: message.clientMsgId };
    messages.push(message);
    add({ type: 'invoke', ...key, hash: message.hash });
    if (seq === 21) {
      add({ type: 'fault', name: 'kill', phase: 'begin' });
      add({ type: 'fault', name: 'kill', phase: 'effect' });
      add({ type: 'unknown', ...key, reason: 'disconnected' });
      add({ type: 'fault', name: 'kill', phase: 'end' });
      add({ type: 'invoke', ...key, hash: message.hash });
    }
    add({ type: 'stored', ...key, seq, messageId: message.messageId, duplicate: seq === 21 });
    for (const reader of USERS) {
      if (reader === 'cat' && !catIsThere(seq)) continue;
      const seen = { device: `${reader}-1`, user: reader, conversation: CONVERSATION, message };
      add({ type: 'arrival', ...seen });
      add({ type: 'delivery', ...seen });
      if (seq % 5 === 0) add({ type: 'read', user: reader, conversation: CONVERSATION, lastReadSeq: seq });
      if (seq % 5 === 0)
        add({
          type: 'mark',
          device: 'ada-1',
          user: reader,
          conversation: CONVERSATION,
          kind: 'read',
          messageId: message.messageId,
        });
    }
    if (seq === EDITED_SEQ) {
      messages[seq - 1] = { ...message, hash: 'edited' };
      add({ type: 'edit', conversation: CONVERSATION, user, seq, hash: 'edited' });
    }
    if (seq % 10 === 0) {
      add({ type: 'ask', id: ++asks, user: 'bob', conversation: CONVERSATION });
      const shown = messages.slice(-10).toReversed();
      const page = { order: 'newest-first', beside: null, limit: 10, visibleFromSeq: 1, hasMore: seq > 10 } as const;
      add({ type: 'page', id: asks, user: 'bob', conversation: CONVERSATION, ...page, messages: shown });
      add({ type: 'ask', id: ++asks, user: 'ada', conversation: CONVERSATION });
      add({
        type: 'view',
        id: asks,
        user: 'ada',
        conversation: CONVERSATION,
        lastSeq: seq,
        lastReadSeq: seq,
        unreadCount: 0,
      });
    }
    if (seq === AWAY.after) {
      add({ type: 'removed', user: 'cat', conversation: CONVERSATION, lastSeq: seq });
      add({ type: 'left', device: 'cat-1', user: 'cat', conversation: CONVERSATION });
      const refused = { conversation: CONVERSATION, user: 'cat', clientMsgId: 'refused' };
      add({ type: 'invoke', ...refused, hash: 'refused' });
      add({ type: 'rejected', ...refused, code: 'not_found' });
    }
    if (seq === AWAY.backFrom - 1) {
      const place = { user: 'cat', conversation: CONVERSATION };
      add({ type: 'returning', ...place });
      add({ type: 'joined', device: 'cat-1', ...place, visibleFromSeq: AWAY.backFrom });
      add({ type: 'returned', ...place, visibleFromSeq: AWAY.backFrom });
    }
  }
  addStores(messages, add);
  return happenings.map((happening, i) => ({ ...happening, at: i * 10 }));
}

function addStores(messages: readonly SeenMessage[], add: (happening: Happening) => void): void {
  // Creation, then a rev for each message, for the edit, the removal and the return.
  let rev = 1;
  const revs = new Map<number, number>();
  add({ type: 'event', conversation: CONVERSATION, rev });
  for (const { seq, hash } of messages) {
    rev += 1;
    revs.set(seq, rev);
    add({ type: 'event', conversation: CONVERSATION, rev, seq, hash: seq === EDITED_SEQ ? `h${seq}` : hash });
    if (seq === EDITED_SEQ) {
      rev += 1;
      revs.set(seq, rev);
      add({ type: 'event', conversation: CONVERSATION, rev, seq, hash });
    }
    if (seq === AWAY.after || seq === AWAY.backFrom - 1) add({ type: 'event', conversation: CONVERSATION, rev: ++rev });
  }
  for (const message of messages) {
    add({ type: 'row', conversation: CONVERSATION, rev: revs.get(message.seq) as number, ...message });
  }
  add({ type: 'head', conversation: CONVERSATION, lastSeq: messages.length, lastRev: rev });
  for (const user of USERS) add({ type: 'final-mark', conversation: CONVERSATION, user, readSeq: messages.length });
}
