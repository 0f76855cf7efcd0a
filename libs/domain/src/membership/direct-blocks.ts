import { Inject, type OnModuleDestroy } from '@nestjs/common';
import type { MaybePromise } from '../journal/maybe-promise.js';
import { DomainLimits } from '../limits/domain-limits.js';
import { RecentValues } from '../collections/recent-values.js';
import { TransientMap } from '../collections/transient-map.js';
import { Broadcast } from '../ports/broadcast.port.js';
import type { Membership } from '../ports/conversation-reader.port.js';
import { Blocks } from '../users/blocks.port.js';

const PAIRS_REMEMBERED_MAX = 200_000;

/**
 * Whether the other person of a direct conversation has blocked the sender. That they have not is remembered for a while: a
 * block made in this process counts from its answer on; one made in another, as soon as it is heard of, and after
 * `blockStateMs` at the latest. That they have is read before anybody is refused: a block that was lifted, wherever that
 * was, refuses nothing from the answer on.
 */
export class DirectBlocks implements OnModuleDestroy {
  /** Who may write to whom, and until when that is believed. */
  private readonly unblocked = new RecentValues<number>(PAIRS_REMEMBERED_MAX);
  private readonly flights = new TransientMap<string, Promise<boolean>>();
  private readonly unsubscribe: (() => void)[];
  private changes = 0;

  constructor(
    @Inject(Blocks) private readonly blocks: Blocks,
    @Inject(DomainLimits) private readonly limits: DomainLimits,
    @Inject(Broadcast) broadcast: Broadcast,
  ) {
    this.unsubscribe = [
      blocks.onBlocksChanged(({ blockerId, blockedId }) => {
        this.forget(blockerId, blockedId);
        return broadcast.publish([{ type: 'blocks-changed', blockerId, blockedId }]);
      }),
      broadcast.subscribe((events) => {
        for (const event of events) if (event.type === 'blocks-changed') this.forget(event.blockerId, event.blockedId);
      }),
      // Changes may have been missed, by what is remembered and by what is being read.
      broadcast.onInterruption(() => {
        this.changes += 1;
        this.unblocked.clear();
        this.flights.clear();
      }),
    ];
  }

  onModuleDestroy(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
  }

  /** False in groups, whoever has blocked whom. */
  isBlocked(senderId: string, conversation: Membership): MaybePromise<boolean> {
    if (conversation.type !== 'direct') return false;
    for (const userId of conversation.members.keys()) {
      if (userId !== senderId) return this.hasBlocked(userId, senderId);
    }
    return false;
  }

  private hasBlocked(blockerId: string, senderId: string): MaybePromise<boolean> {
    const key = keyOf(senderId, blockerId);
    const until = this.unblocked.get(key);
    if (until !== undefined && until > performance.now()) return false;
    const flight = this.flights.get(key);
    if (flight) return this.hasBlockedStill(flight, key, blockerId, senderId);
    const read = this.read(key, blockerId, senderId);
    this.flights.set(key, read);
    const done = (): void => {
      if (this.flights.get(key) === read) this.flights.delete(key);
    };
    read.then(done, done);
    return read;
  }

  private forget(blockerId: string, blockedId: string): void {
    this.changes += 1;
    this.unblocked.delete(keyOf(blockedId, blockerId));
    this.flights.delete(keyOf(blockedId, blockerId));
  }

  private async read(key: string, blockerId: string, senderId: string): Promise<boolean> {
    const changes = this.changes;
    const blockers = await this.blocks.blockersOf(senderId, [blockerId]);
    const blocked = blockers.has(blockerId);
    if (!blocked && changes === this.changes) {
      this.unblocked.set(key, performance.now() + this.limits.blockStateMs);
    }
    return blocked;
  }

  /** After a reading that was under way when this was asked: what it found may have been lifted before that. */
  private async hasBlockedStill(
    flight: Promise<boolean>,
    key: string,
    blockerId: string,
    senderId: string,
  ): Promise<boolean> {
    return (await flight) && (await this.read(key, blockerId, senderId));
  }
}

function keyOf(senderId: string, blockerId: string): string {
  return `${senderId}${blockerId}`;
}
