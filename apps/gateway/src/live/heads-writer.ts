import { Inject, Injectable } from '@nestjs/common';
import type { Heads } from '@parley/contracts';
import { MembershipDirectory, type Head } from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { serverPacket } from '../connections/link.js';
import { FollowedRooms } from './followed-rooms.js';
import { LiveWriter } from './live-writer.js';
import { ToldMemberships } from './told-memberships.js';

type HeadEntry = Heads['heads'][number];

const HEADS_PER_PACKET_MAX = 500;

/** Tells users where their conversations stand, so that those who are behind sync. */
@Injectable()
export class HeadsWriter {
  constructor(
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(MembershipDirectory) private readonly directory: MembershipDirectory,
    @Inject(LiveWriter) private readonly writer: LiveWriter,
    @Inject(ToldMemberships) private readonly told: ToldMemberships,
    @Inject(FollowedRooms) private readonly rooms: FollowedRooms,
  ) {}

  /** Heads as the database gave them; `turn` is from before it was asked. */
  async write(heads: readonly Head[], turn: number): Promise<void> {
    const byUser = new Map<string, HeadEntry[]>();
    const unknownHere: Head[] = [];
    for (const head of heads) {
      const { userId, conversationId } = head;
      const told = this.told.last(userId, conversationId);
      if (head.removed) {
        if (told?.kind === 'removed' || (told && told.turn > turn)) continue;
        this.directory.invalidate(conversationId);
        this.rooms.left([userId], conversationId);
        this.writer.tellRemoved(userId, conversationId);
        continue;
      }
      if (told?.kind === 'removed' && told.turn > turn) continue;
      // A joining that was not heard of: what is told there from now on is.
      void this.rooms.joined([userId], conversationId);
      // It belongs to it again, and a socket does not know: first that.
      if (this.writer.hasLeft(userId, conversationId)) {
        unknownHere.push(head);
        continue;
      }
      const membership = this.directory.get(conversationId);
      if (membership && !membership.members.has(userId)) unknownHere.push(head);
      const { lastSeq, lastRev } = head;
      const entries = byUser.get(userId);
      if (entries) entries.push({ conversationId, lastSeq, lastRev });
      else byUser.set(userId, [{ conversationId, lastSeq, lastRev }]);
    }
    for (const [userId, entries] of byUser) this.toUser(userId, entries);
    for (const { userId, conversationId } of unknownHere) {
      const membership = await this.directory.reload(conversationId);
      if (membership?.members.has(userId)) await this.writer.tellCreated(conversationId, [userId]);
    }
  }

  /** Heads of conversations whose partition has a new owner: what was committed just before may not have been broadcast. */
  async moved(heads: readonly HeadEntry[]): Promise<void> {
    const byUser = new Map<string, HeadEntry[]>();
    for (const head of heads) {
      // Every gateway hears of all that moved: it reads the members of what concerns it.
      if (!this.rooms.brings(head.conversationId)) continue;
      const { turn } = this.told;
      // Without its members, nobody can be told; the next poll of heads finds what changed.
      const membership = await this.directory.reload(head.conversationId).catch(() => null);
      for (const userId of membership?.members.keys() ?? []) {
        if (this.registry.ofUser(userId).length === 0) continue;
        if (this.told.removedSince(userId, head.conversationId, turn)) continue;
        const entries = byUser.get(userId);
        if (entries) entries.push(head);
        else byUser.set(userId, [head]);
      }
    }
    for (const [userId, entries] of byUser) {
      this.toUser(
        userId,
        // Who is back hears that first; the next poll finds what that does not bring.
        entries.filter(
          ({ conversationId }) =>
            this.told.last(userId, conversationId)?.kind !== 'removed' && !this.writer.hasLeft(userId, conversationId),
        ),
      );
    }
  }

  private toUser(userId: string, heads: HeadEntry[]): void {
    for (let from = 0; from < heads.length; from += HEADS_PER_PACKET_MAX) {
      this.writer.toUser(userId, serverPacket('heads', { heads: heads.slice(from, from + HEADS_PER_PACKET_MAX) }));
    }
  }
}
