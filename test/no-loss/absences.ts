import type { HistoryEvent } from './history.js';

type Event<Type extends HistoryEvent['type']> = Extract<HistoryEvent, { type: Type }>;

/** Both ends in milliseconds of the history's clock. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** The seqs that a member must never see. */
interface Absence {
  after: number;
  before: number;
  /** What it saw when it might have been back already: judged when the place of its return is known. */
  early: number[] | null;
}

interface Membership {
  readonly absences: Absence[];
  /** When it may have been away: from the beginning of each removal to the end of the return. */
  readonly away: { from: number; to: number }[];
  /** Devices that were told that they do not belong here, while that was so for certain. */
  readonly gone: Set<string>;
  /** Somebody brings the member back or has done so: a device may be shown messages before it hears of that. */
  isComingBack: boolean;
}

/** Who was away from which conversation, and what must not have been seen for that. */
export class Absences {
  private readonly memberships = new Map<string, Membership>();

  /** @param violate told of each message that somebody was shown who was not there */
  constructor(private readonly violate: (text: string) => void) {}

  see(event: Event<'joined' | 'left' | 'removing' | 'removed' | 'returning' | 'returned'>): void {
    const membership = this.membershipOf(event.conversation, event.user);
    switch (event.type) {
      case 'joined':
        return void membership.gone.delete(event.device);
      case 'left':
        // Told late of an absence that is over, or before the socket was: what it is shown is judged by its seqs alone.
        if (!membership.isComingBack && !event.bySync) membership.gone.add(event.device);
        return;
      case 'removing':
        membership.isComingBack = false;
        if (membership.away.at(-1)?.to !== Infinity) membership.away.push({ from: event.at, to: Infinity });
        return;
      case 'removed':
        return void membership.absences.push({ after: event.lastSeq, before: Infinity, early: null });
      case 'returning':
        membership.isComingBack = true;
        membership.gone.clear();
        return this.maySee(membership);
      case 'returned':
        return this.isBack(membership, event);
    }
  }

  /** Whether the member may have been away at any time of this period. */
  wereDuring(conversation: string, user: string, { from, to }: Period): boolean {
    const away = this.memberships.get(placeOf(conversation, user))?.away ?? [];
    return away.some((each) => each.from <= to && each.to >= from);
  }

  /** A device was shown a message while it was live. */
  arrived(event: Event<'arrival' | 'delivery'>): void {
    const { conversation, user, device, message } = event;
    if (!this.memberships.get(placeOf(conversation, user))?.gone.has(device)) return;
    this.violate(`${device} was shown ${message.seq} of ${conversation} after its removal`);
  }

  /** Somebody saw a message, live or in a page. */
  saw(conversation: string, user: string, seq: number): void {
    for (const absence of this.memberships.get(placeOf(conversation, user))?.absences ?? []) {
      if (absence.before === Infinity && absence.early) absence.early.push(seq);
      else this.judge(conversation, user, seq, absence);
    }
  }

  private maySee({ absences }: Membership): void {
    const absence = absences.at(-1);
    if (absence?.before === Infinity) absence.early = [];
  }

  private isBack({ absences, away }: Membership, { at, conversation, user, visibleFromSeq }: Event<'returned'>): void {
    const last = away.at(-1);
    if (last) last.to = Math.min(last.to, at);
    const absence = absences.at(-1);
    if (absence?.before !== Infinity) return;
    absence.before = visibleFromSeq;
    for (const seq of absence.early ?? []) this.judge(conversation, user, seq, absence);
  }

  private judge(conversation: string, user: string, seq: number, { after, before }: Absence): void {
    if (seq <= after || seq >= before) return;
    this.violate(`${user} saw ${seq} of ${conversation}, written while it was away`);
  }

  private membershipOf(conversation: string, user: string): Membership {
    const place = placeOf(conversation, user);
    let membership = this.memberships.get(place);
    if (!membership) {
      membership = { absences: [], away: [], gone: new Set(), isComingBack: false };
      this.memberships.set(place, membership);
    }
    return membership;
  }
}

function placeOf(conversation: string, user: string): string {
  return `${conversation} ${user}`;
}
