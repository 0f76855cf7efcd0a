import type { Absences, Period } from './absences.js';
import type { HistoryEvent } from './history.js';

type Event<Type extends HistoryEvent['type']> = Extract<HistoryEvent, { type: Type }>;
type Violate = (rule: 'P1' | 'P2', text: string) => void;

interface Outcomes {
  readonly conversation: string;
  readonly user: string;
  readonly firstAt: number;
  triedAt: number;
  /** For each try that was answered `accepted`: while it took its place in the log. */
  readonly accepted: Period[];
  isRefused: boolean;
  isStored: boolean;
}

/**
 * What senders were told of their sends, of each try: a refusal needs a reason, which is here that the sender was away; what
 * was accepted is there when it is sent again, and in the end, unless it was refused for that reason.
 */
export class SendOutcomes {
  private readonly sends = new Map<string, Outcomes>();

  constructor(
    private readonly absences: Absences,
    private readonly violate: Violate,
  ) {}

  see(event: Event<'invoke' | 'accepted' | 'rejected' | 'stored'>): void {
    const key = keyOf(event);
    const send = this.sends.get(key);
    if (event.type === 'invoke') return this.invoked(key, send, event);
    if (!send) return;
    if (event.type === 'accepted') return void send.accepted.push({ from: send.triedAt, to: event.at });
    if (event.type === 'rejected') this.refused(send, event);
    else this.stored(send, event);
  }

  /** @param isThere whether anybody was answered or shown it, or it is stored */
  finish(isThere: (key: string) => boolean): void {
    for (const [key, send] of this.sends) {
      if (send.accepted.length === 0 || isThere(key)) continue;
      if (!send.isRefused) this.violate('P1', `${key} was accepted and is not stored`);
      else if (!this.mayBeRefused(send))
        this.violate('P1', `${key} was accepted while its sender was there, and is lost`);
    }
  }

  private invoked(key: string, send: Outcomes | undefined, { conversation, user, at }: Event<'invoke'>): void {
    if (send) send.triedAt = at;
    else {
      const place = { conversation, user, firstAt: at, triedAt: at };
      this.sends.set(key, { ...place, accepted: [], isRefused: false, isStored: false });
    }
  }

  private refused(send: Outcomes, { at, isFinal, clientMsgId, code }: Event<'rejected'>): void {
    send.isRefused = true;
    // Once accepted it has its place in the log: what happens after that is no reason.
    const to = (isFinal ? send.accepted.at(-1)?.to : undefined) ?? at;
    if (this.wasAway(send, { from: send.firstAt, to })) return;
    this.violate('P1', `${clientMsgId} was refused with ${code}, and its sender was there all the time`);
  }

  private stored(send: Outcomes, { duplicate, clientMsgId, seq }: Event<'stored'>): void {
    if (duplicate === false && send.isStored)
      this.violate('P2', `${clientMsgId} was stored, and is new again at ${seq}`);
    else if (duplicate === false && !this.mayBeRefused(send)) {
      this.violate('P1', `${clientMsgId} was accepted, and was not there when it was sent again`);
    }
    send.isStored = true;
  }

  /** Of no try is it known that it was not refused. */
  private mayBeRefused(send: Outcomes): boolean {
    return send.accepted.every((period) => this.wasAway(send, period));
  }

  private wasAway({ conversation, user }: Outcomes, period: Period): boolean {
    return this.absences.wereDuring(conversation, user, period);
  }
}

function keyOf({ conversation, user, clientMsgId }: Event<'invoke' | 'accepted' | 'rejected' | 'stored'>): string {
  return `${conversation} ${user} ${clientMsgId}`;
}
