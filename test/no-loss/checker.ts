import { Absences } from './absences.js';
import type { HistoryEvent, SeenMessage } from './history.js';
import { SendOutcomes } from './send-outcomes.js';
import { ToldChanges } from './told-changes.js';

export const RULES = [
  'P1',
  'P2',
  'P3',
  'P4',
  'P5',
  'P6',
  'P7',
  'P8',
  'P9',
  'P10',
  'P11',
  'P12',
  'P13',
  'P14',
  'P15',
] as const;
export type Rule = (typeof RULES)[number];

export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

/** The first answer after a fault has ended may take so long. */
export const FIRST_ACK_MS_MAX = 10_000;
/** From then on every send is answered. */
export const QUIET_AFTER_MS = 60_000;

type Event<Type extends HistoryEvent['type']> = Extract<HistoryEvent, { type: Type }>;
interface Send {
  hash: string;
  /** The highest seq that anybody had been promised in the conversation when this was first sent. */
  floor: number;
  seq?: number;
  rejected: boolean;
}

const keyOf = (...parts: (string | number)[]): string => parts.join(' ');

/** One sweep over a history, linear in its events; `finish` says what the end must hold. */
class Sweep {
  readonly violations: Violation[] = [];
  private readonly sends = new Map<string, Send>();
  private readonly places = new Map<string, string>();
  private readonly placeOfSend = new Map<string, number>();
  private readonly editHashes = new Map<string, Set<string>>();
  private readonly acked = new Map<string, number>();
  private readonly headSeen = new Map<string, number>();
  private readonly asks = new Map<number, { acked: number; head: number }>();
  private readonly nextOf = new Map<string, number>();
  private readonly absences = new Absences((text) => this.violate('P13', text));
  private readonly toldChanges = new ToldChanges((text) => this.violate('P13', text));
  private readonly outcomes = new SendOutcomes(this.absences, (rule, text) => this.violate(rule, text));
  private readonly marks = new Map<string, bigint>();
  private readonly readAcked = new Map<string, number>();
  private readonly finalReads = new Map<string, number>();
  private readonly rows = new Map<string, Event<'row'>>();
  private readonly rowCounts = new Map<string, number>();
  private readonly heads = new Map<string, Event<'head'>>();
  private readonly revs = new Map<string, number>();
  private readonly folded = new Map<string, { rev: number; hash: string }>();
  private faultEnded: number | undefined;
  private answered = true;

  see(event: HistoryEvent): void {
    switch (event.type) {
      case 'invoke':
        return this.invoke(event);
      case 'stored':
        return this.stored(event);
      case 'accepted':
        return this.outcomes.see(event);
      case 'unknown':
        return this.unknown(event);
      case 'rejected':
        return this.rejected(event);
      case 'edit':
        return this.edit(event);
      case 'joined':
        return this.joined(event);
      case 'left':
        this.nextOf.delete(keyOf(event.device, event.conversation));
        return this.absences.see(event);
      case 'removing':
      case 'removed':
      case 'returning':
      case 'returned':
        return this.absences.see(event);
      case 'arrival':
      case 'delivery':
        return this.shown(event);
      case 'told':
        return this.toldChanges.see(event);
      case 'ask':
        return this.ask(event);
      case 'page':
        return this.page(event);
      case 'view':
        return this.view(event);
      case 'read':
        return this.raise(this.readAcked, keyOf(event.conversation, event.user), event.lastReadSeq);
      case 'mark':
        return this.mark(event);
      case 'fault':
        return this.fault(event);
      case 'row':
        return this.row(event);
      case 'head':
        this.heads.set(event.conversation, event);
        return;
      case 'event':
        return this.streamed(event);
      case 'final-mark':
        this.finalReads.set(keyOf(event.conversation, event.user), event.readSeq);
        return;
      case 'gap-filled':
        return;
    }
  }

  finish(): void {
    this.toldChanges.finish();
    for (const [place, what] of this.places) {
      const row = this.rows.get(place);
      if (!row) this.violate('P1', `${place} was promised or seen, and is not stored`);
      else if (identityOf(row) !== what) this.violate('P1', `${place} was ${what} and is stored as ${identityOf(row)}`);
    }
    this.outcomes.finish((key) => this.placeOfSend.has(key));
    for (const head of this.heads.values()) this.checkHead(head);
    for (const [place, next] of this.nextOf) {
      const conversation = place.slice(place.indexOf(' ') + 1);
      const lastSeq = this.heads.get(conversation)?.lastSeq ?? 0;
      if (next !== lastSeq + 1) this.violate('P7', `${place} ended before ${next} of ${lastSeq}`);
    }
    for (const [place, row] of this.rows) {
      const folded = this.folded.get(place);
      if (!folded) this.violate('P15', `${place} is stored and not in the stream`);
      else if (folded.hash !== row.hash || folded.rev !== row.rev) {
        this.violate('P15', `${place} is stored with rev ${row.rev}, and the stream gives rev ${folded.rev}`);
      }
    }
    for (const place of this.folded.keys()) {
      if (!this.rows.has(place)) this.violate('P15', `${place} is in the stream and not stored`);
    }
    for (const [place, seq] of this.readAcked) {
      const final = this.finalReads.get(place);
      if (final !== undefined && final < seq)
        this.violate('P12', `the read mark of ${place} was ${seq} and ended at ${final}`);
    }
    if (!this.answered) this.violate('P14', 'nothing was stored after the last fault');
  }

  private invoke(event: Event<'invoke'>): void {
    const key = keyOf(event.conversation, event.user, event.clientMsgId);
    this.outcomes.see(event);
    if (this.sends.has(key)) return;
    this.sends.set(key, {
      hash: event.hash,
      floor: this.acked.get(event.conversation) ?? 0,
      rejected: false,
    });
  }

  private stored(event: Event<'stored'>): void {
    const { conversation, user, clientMsgId, seq, messageId } = event;
    const send = this.sends.get(keyOf(conversation, user, clientMsgId));
    if (!send) return this.violate('P4', `${conversation} ${seq} was answered to ${user}, who never sent it`);
    this.outcomes.see(event);
    if (send.seq === undefined && seq <= send.floor) {
      this.violate('P8', `${conversation} ${seq} was sent after ${send.floor} had been answered`);
    }
    send.seq ??= seq;
    this.claim(conversation, { seq, messageId, senderId: user, clientMsgId, hash: send.hash });
    this.raise(this.acked, conversation, seq);
    this.raise(this.readAcked, keyOf(conversation, user), seq);
    if (!this.answered && this.faultEnded !== undefined && event.at - this.faultEnded > FIRST_ACK_MS_MAX) {
      this.violate('P14', `the first answer came ${Math.round(event.at - this.faultEnded)} ms after the fault`);
    }
    this.answered = true;
  }

  private unknown({ at, reason, clientMsgId }: Event<'unknown'>): void {
    if (this.faultEnded === undefined || at - this.faultEnded <= QUIET_AFTER_MS) return;
    this.violate('P14', `${clientMsgId} was not answered (${reason}) long after the last fault`);
  }

  private rejected(event: Event<'rejected'>): void {
    const { conversation, user, clientMsgId } = event;
    this.outcomes.see(event);
    if (!event.isFinal) return;
    const key = keyOf(conversation, user, clientMsgId);
    const send = this.sends.get(key);
    if (send) send.rejected = true;
    if (this.placeOfSend.has(key)) this.violate('P4', `${clientMsgId} was rejected and is there`);
  }

  private edit({ conversation, seq, hash }: Event<'edit'>): void {
    const place = keyOf(conversation, seq);
    const hashes = this.editHashes.get(place) ?? new Set();
    this.editHashes.set(place, hashes.add(hash));
  }

  private joined(event: Event<'joined'>): void {
    this.nextOf.set(keyOf(event.device, event.conversation), event.visibleFromSeq);
    this.absences.see(event);
  }

  private shown(event: Event<'arrival'> | Event<'delivery'>): void {
    const { device, conversation, user, message } = event;
    const place = keyOf(device, conversation);
    this.observe(conversation, user, message);
    this.absences.arrived(event);
    if (event.type === 'arrival') return;
    const next = this.nextOf.get(place);
    if (next !== message.seq) this.violate('P6', `${place} was handed ${message.seq} instead of ${next ?? 'nothing'}`);
    this.nextOf.set(place, message.seq + 1);
  }

  private ask({ id, user, conversation }: Event<'ask'>): void {
    const acked = this.acked.get(conversation) ?? 0;
    this.asks.set(id, { acked, head: this.headSeen.get(keyOf(conversation, user)) ?? 0 });
  }

  private page(event: Event<'page'>): void {
    const { id, conversation, user, order, beside, limit, messages, hasMore, visibleFromSeq } = event;
    const known = this.takeAsk(id);
    const step = order === 'newest-first' ? -1 : 1;
    let expected = beside === null ? (messages[0]?.seq ?? 0) : beside + step;
    for (const message of messages) {
      if (message.seq !== expected)
        this.violate('P10', `a page of ${conversation} has ${message.seq} instead of ${expected}`);
      expected = message.seq + step;
      this.observe(conversation, user, message);
    }
    if (messages.length < limit && hasMore) this.violate('P10', `a page of ${conversation} is short before its end`);
    if (order === 'newest-first' && !hasMore && expected >= visibleFromSeq) {
      this.violate('P10', `a page of ${conversation} ends at ${expected + 1} and not at ${visibleFromSeq}`);
    }
    const newest = order === 'newest-first' ? (messages[0]?.seq ?? 0) : (messages.at(-1)?.seq ?? beside ?? 0);
    const isNewestEnd = order === 'newest-first' ? beside === null : !hasMore;
    if (isNewestEnd) this.checkFresh(known, conversation, user, newest, visibleFromSeq);
  }

  private view(event: Event<'view'>): void {
    const { id, conversation, user, lastSeq, lastReadSeq, unreadCount } = event;
    this.checkFresh(this.takeAsk(id), conversation, user, lastSeq, 0);
    if (unreadCount !== lastSeq - lastReadSeq) {
      this.violate('P11', `${user} has ${unreadCount} unread of ${lastSeq} after ${lastReadSeq} in ${conversation}`);
    }
  }

  private takeAsk(id: number): { acked: number; head: number } {
    const known = this.asks.get(id) ?? { acked: 0, head: 0 };
    this.asks.delete(id);
    return known;
  }

  /** What was promised or shown before the question must be in its answer; a member sees nothing below its join. */
  private checkFresh(
    known: { acked: number; head: number },
    conversation: string,
    user: string,
    newest: number,
    from: number,
  ): void {
    const least = Math.max(known.acked, known.head);
    if (newest < least && least >= from) this.violate('P9', `${user} saw ${newest} of ${conversation} after ${least}`);
    this.raise(this.headSeen, keyOf(conversation, user), newest);
  }

  private mark({ device, conversation, user, kind, messageId }: Event<'mark'>): void {
    const key = keyOf(device, conversation, user, kind);
    const mark = BigInt(messageId);
    if (mark < (this.marks.get(key) ?? 0n)) this.violate('P12', `${key} went back to ${messageId}`);
    this.marks.set(key, mark);
  }

  private fault({ name, phase, at }: Event<'fault'>): void {
    if (!this.answered) this.violate('P14', `nothing was stored between the last fault and ${name}`);
    this.faultEnded = phase === 'end' ? at : undefined;
    this.answered = phase !== 'end';
  }

  private row(event: Event<'row'>): void {
    const { conversation, seq } = event;
    const place = keyOf(conversation, seq);
    if (this.rows.has(place)) this.violate('P3', `${place} is stored twice`);
    this.rows.set(place, event);
    this.rowCounts.set(conversation, (this.rowCounts.get(conversation) ?? 0) + 1);
    this.checkSent(conversation, event);
    this.checkOnce(conversation, event);
  }

  private streamed(event: Event<'event'>): void {
    const { conversation, rev, seq, hash } = event;
    this.toldChanges.streamed(event);
    const expected = (this.revs.get(conversation) ?? 0) + 1;
    if (rev !== expected) this.violate('P3', `${conversation} has rev ${rev} instead of ${expected}`);
    this.revs.set(conversation, rev);
    if (seq !== undefined && hash !== undefined) this.folded.set(keyOf(conversation, seq), { rev, hash });
  }

  private checkHead({ conversation, lastSeq, lastRev }: Event<'head'>): void {
    const count = this.rowCounts.get(conversation) ?? 0;
    let missing = 0;
    for (let seq = 1; seq <= lastSeq; seq++) if (!this.rows.has(keyOf(conversation, seq))) missing += 1;
    if (missing > 0 || count !== lastSeq) {
      this.violate('P3', `${conversation} has ${count} rows and ends at ${lastSeq}, with ${missing} missing`);
    }
    if ((this.revs.get(conversation) ?? 0) !== lastRev)
      this.violate('P3', `${conversation} does not end at rev ${lastRev}`);
  }

  private observe(conversation: string, user: string, message: SeenMessage): void {
    this.claim(conversation, message);
    this.checkSent(conversation, message);
    this.absences.saw(conversation, user, message.seq);
  }

  private claim(conversation: string, message: SeenMessage): void {
    const place = keyOf(conversation, message.seq);
    const what = identityOf(message);
    const before = this.places.get(place);
    if (before !== undefined && before !== what) this.violate('P5', `${place} is ${before} and ${what}`);
    if (before === undefined) this.places.set(place, what);
    this.checkOnce(conversation, message);
  }

  private checkOnce(conversation: string, { senderId, clientMsgId, seq }: SeenMessage): void {
    const key = keyOf(conversation, senderId, clientMsgId);
    const before = this.placeOfSend.get(key);
    if (before !== undefined && before !== seq) this.violate('P2', `${clientMsgId} has the seqs ${before} and ${seq}`);
    this.placeOfSend.set(key, seq);
  }

  private checkSent(conversation: string, { seq, senderId, clientMsgId, hash }: SeenMessage): void {
    const send = this.sends.get(keyOf(conversation, senderId, clientMsgId));
    if (!send) return this.violate('P4', `${conversation} ${seq} was never sent`);
    if (send.rejected) this.violate('P4', `${conversation} ${seq} was rejected and is there`);
    if (send.hash !== hash && !this.editHashes.get(keyOf(conversation, seq))?.has(hash)) {
      this.violate('P1', `${conversation} ${seq} has a content that nobody gave it`);
    }
  }

  private raise(map: Map<string, number>, key: string, value: number): void {
    if (value > (map.get(key) ?? 0)) map.set(key, value);
  }

  private violate(rule: Rule, text: string): void {
    this.violations.push({ rule, text });
  }
}

function identityOf({ messageId, senderId, clientMsgId }: SeenMessage): string {
  return keyOf(messageId, senderId, clientMsgId);
}

/** Everything in a history that a system that loses, doubles, renumbers and leaks nothing could not have brought about. */
export function checkHistory(events: readonly HistoryEvent[]): Violation[] {
  const sweep = new Sweep();
  for (const event of events) sweep.see(event);
  sweep.finish();
  return sweep.violations;
}
