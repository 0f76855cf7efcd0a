import { Inject, type OnModuleDestroy } from '@nestjs/common';
import type { Role } from '@parley/contracts';
import { DomainError } from '../errors/domain-error.js';
import type { MaybePromise } from '../journal/maybe-promise.js';
import { RecentValues } from '../collections/recent-values.js';
import { TransientMap } from '../collections/transient-map.js';
import type { LiveEvent, LiveMembersChanged } from '../live/live-event.js';
import { conversationRoom } from '../live/live-rooms.js';
import { Broadcast } from '../ports/broadcast.port.js';
import { ConversationReader, type Membership } from '../ports/conversation-reader.port.js';

/** Members of all remembered conversations together: about 140 bytes each. */
const MEMBERS_REMEMBERED_MAX = 500_000;
/** What an entry costs beside its members. */
const CONVERSATION_COST = 4;
/** How often a reading that a change has overtaken is repeated. */
const READINGS_AGAIN_MAX = 5;

/** How long that is believed which no event would correct: of conversations that this process does not follow. */
export const UNFOLLOWED_MS_MAX = 5_000;

interface Known {
  membership: Membership;
  /** When its reading began: what was committed before is in it. */
  readAt: number;
}

interface Flight {
  membership: Promise<Membership | null>;
  /** Changes heard of while it was under way: what was read before them must not be kept. */
  epochMin: number;
}

/** A member as it authorises. */
export interface MemberAccess {
  membership: Membership;
  role: Role;
  visibleFromSeq: number;
}

export function noSuchConversation(): DomainError {
  return new DomainError('not_found', 'No such conversation');
}

/**
 * Who belongs to which conversation, from memory where possible.
 *
 * What is remembered may lag behind: "is a member" is decided again with the command, and "is not" is read again before
 * anybody is refused. Whoever delivers by it compares `membershipEpoch` with that of the event and loads when the
 * event's is greater. Events keep what is remembered up to date where this process has followed the conversation since
 * the reading; elsewhere it is read again after `UNFOLLOWED_MS_MAX`. A `Membership` that was handed out is never changed: a newer one takes its place.
 */
export class MembershipDirectory implements OnModuleDestroy {
  private readonly known = new RecentValues<Known>(MEMBERS_REMEMBERED_MAX);
  private readonly flights = new TransientMap<string, Flight>();
  private readonly unsubscribe: (() => void)[];

  constructor(
    @Inject(ConversationReader) private readonly reader: ConversationReader,
    @Inject(Broadcast) private readonly broadcast: Broadcast,
  ) {
    this.unsubscribe = [
      broadcast.subscribe((events) => {
        for (const event of events) this.hear(event);
      }),
      // Changes may have been missed, by what is remembered and by what is being read.
      broadcast.onInterruption(() => {
        this.known.clear();
        this.flights.clear();
      }),
    ];
  }

  onModuleDestroy(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
  }

  /** What is remembered; undefined when it has to be loaded. */
  get(conversationId: string): Membership | undefined {
    const known = this.known.get(conversationId);
    return known && (this.broadcast.bringsEverything || this.isKeptCurrent(known)) ? known.membership : undefined;
  }

  /** What is remembered, or else read; null when there is no such conversation. One reading serves all who ask meanwhile. */
  load(conversationId: string): Promise<Membership | null> {
    const known = this.get(conversationId);
    if (known) return Promise.resolve(known);
    return this.flights.get(conversationId)?.membership ?? this.read(conversationId);
  }

  /**
   * Read now, whatever is remembered: shows every change that was answered before this call. What is remembered serves
   * until then, so that a stranger who asks again and again does not slow the members down.
   */
  reload(conversationId: string): Promise<Membership | null> {
    return this.read(conversationId);
  }

  invalidate(conversationId: string): void {
    this.known.delete(conversationId);
  }

  /**
   * The user as a member, at once when that is remembered.
   * @throws DomainError `not_found`: no such conversation, or somebody else's
   */
  requireMember(conversationId: string, userId: string): MaybePromise<MemberAccess> {
    const known = this.get(conversationId);
    const access = known && accessOf(known, userId);
    return access ?? this.readMember(conversationId, userId);
  }

  /**
   * The user as a member, where it decides from where the member sees: who was away and is back sees less than before, and what no
   * event would correct does not say so.
   */
  requireSight(conversationId: string, userId: string): MaybePromise<MemberAccess> {
    const known = this.known.get(conversationId);
    const isCurrent = known && (this.broadcast.bringsEverything || this.isFollowed(known));
    const access = isCurrent && accessOf(known.membership, userId);
    return access || this.readMember(conversationId, userId);
  }

  /**
   * The user as a member, where only an admin may: somebody who is none by what is remembered may have become one.
   * @returns null for a member who is no admin
   */
  async requireAdmin(conversationId: string, userId: string): Promise<MemberAccess | null> {
    const access = await this.requireMember(conversationId, userId);
    if (access.role === 'admin') return access;
    const reread = await this.readMember(conversationId, userId);
    return reread.role === 'admin' ? reread : null;
  }

  private async readMember(conversationId: string, userId: string): Promise<MemberAccess> {
    const membership = await this.reload(conversationId);
    const access = membership && accessOf(membership, userId);
    if (!access) throw noSuchConversation();
    return access;
  }

  private read(conversationId: string): Promise<Membership | null> {
    const flight: Flight = { membership: Promise.resolve(null), epochMin: 0 };
    flight.membership = this.readUntilCurrent(conversationId, flight);
    this.flights.set(conversationId, flight);
    return flight.membership;
  }

  private async readUntilCurrent(conversationId: string, flight: Flight): Promise<Membership | null> {
    try {
      let readAt = performance.now();
      let membership = await this.reader.membership(conversationId);
      // A commit is readable before it is broadcast, so the next reading shows what was heard of meanwhile.
      for (let i = 0; i < READINGS_AGAIN_MAX && membership && membership.membershipEpoch < flight.epochMin; i += 1) {
        readAt = performance.now();
        membership = await this.reader.membership(conversationId);
      }
      const isCurrent = this.flights.get(conversationId) === flight;
      if (membership && isCurrent && membership.membershipEpoch >= flight.epochMin) this.keep(membership, readAt);
      return membership;
    } finally {
      if (this.flights.get(conversationId) === flight) this.flights.delete(conversationId);
    }
  }

  private keep(membership: Membership, readAt: number): void {
    const { conversationId, membershipEpoch, members } = membership;
    const known = this.known.peek(conversationId);
    if (known && known.membership.membershipEpoch > membershipEpoch) return;
    this.known.set(conversationId, { membership, readAt }, CONVERSATION_COST + members.size);
  }

  private isKeptCurrent(known: Known): boolean {
    return this.isFollowed(known) || performance.now() - known.readAt <= UNFOLLOWED_MS_MAX;
  }

  /** Since before it was read: events have kept it up to date. */
  private isFollowed({ membership, readAt }: Known): boolean {
    const followedSince = this.broadcast.followedSince(conversationRoom(membership.conversationId));
    return followedSince !== null && followedSince <= readAt;
  }

  private hear(event: LiveEvent): void {
    if (!('membershipEpoch' in event)) return;
    const { conversationId, membershipEpoch } = event;
    const flight = this.flights.get(conversationId);
    if (flight && flight.epochMin < membershipEpoch) flight.epochMin = membershipEpoch;
    const known = this.known.peek(conversationId);
    if (!known || membershipEpoch <= known.membership.membershipEpoch) return;
    const isNext = membershipEpoch === known.membership.membershipEpoch + 1;
    // From where a new member sees is not in the event.
    if (isNext && event.type === 'members-changed' && event.added.length === 0) {
      return this.keep(withChange(known.membership, event), known.readAt);
    }
    this.known.delete(conversationId);
    // Nobody waits for it: whoever needs it meets the failure when asking.
    this.load(conversationId).catch(() => {});
  }
}

function accessOf(membership: Membership, userId: string): MemberAccess | undefined {
  const member = membership.members.get(userId);
  return member && { membership, role: member.role, visibleFromSeq: member.visibleFromSeq };
}

function withChange(known: Membership, { membershipEpoch, removed, roles }: LiveMembersChanged): Membership {
  const members = new Map(known.members);
  for (const userId of removed) members.delete(userId);
  for (const [userId, role] of Object.entries(roles)) {
    const member = members.get(userId);
    if (member) members.set(userId, { ...member, role });
  }
  return { ...known, membershipEpoch, members };
}
