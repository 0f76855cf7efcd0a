import { DomainError, type PresencePair, PresenceRecords, type SeenAt } from '@parley/domain';

/** Who hides and who has blocked whom, as the test says; in memory. */
export class TestPresenceRecords extends PresenceRecords {
  readonly seen = new Map<string, number>();
  readonly hidden = new Set<string>();
  /** Pairs that may not see each other, `one/other`. */
  readonly blocks = new Set<string>();
  failing = false;
  pairsRead = 0;
  reads = 0;
  /** Set to hold every reading of pairs, after it has looked, until it resolves. */
  gate: Promise<void> | null = null;

  override async recordSeen(seen: readonly SeenAt[]): Promise<void> {
    this.requireStore();
    for (const { userId, at } of seen) this.seen.set(userId, Math.max(at, this.seen.get(userId) ?? at));
  }

  override async lastSeen(userIds: readonly string[]): Promise<Map<string, number>> {
    this.requireStore();
    return new Map(userIds.flatMap((userId) => (this.seen.has(userId) ? [[userId, this.seen.get(userId)!]] : [])));
  }

  override async canSee(pairs: readonly PresencePair[]): Promise<boolean[]> {
    this.requireStore();
    this.reads++;
    this.pairsRead += pairs.length;
    const answers = pairs.map(({ viewerId, userId }) => viewerId === userId || !this.keepsApart(viewerId, userId));
    await this.gate;
    return answers;
  }

  private keepsApart(one: string, other: string): boolean {
    if (this.hidden.has(one) || this.hidden.has(other)) return true;
    return this.blocks.has(`${one}/${other}`) || this.blocks.has(`${other}/${one}`);
  }

  private requireStore(): void {
    if (this.failing) throw new DomainError('store_unavailable');
  }
}
