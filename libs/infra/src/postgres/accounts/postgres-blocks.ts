import { type BlockChange, Blocks, BLOCKS_MAX, type ListAddition, type ListedUser } from '@parley/domain';
import type { Database } from '../database.js';
import { storeAnswer } from '../store-answer.js';
import { BlockEntity } from './block.entity.js';
import { addToUserList, listUsers, type UserListTable } from './user-list-rows.js';

const TABLE: UserListTable = { name: 'blocks', owner: 'blocker_id', listed: 'blocked_id', max: BLOCKS_MAX };

export class PostgresBlocks extends Blocks {
  private readonly listeners = new Set<(change: BlockChange) => void | Promise<void>>();

  constructor(private readonly database: Database) {
    super();
  }

  override async block(blockerId: string, blockedId: string): Promise<ListAddition> {
    return this.changing({ blockerId, blockedId, blocked: true }, () =>
      addToUserList(this.database.pool, TABLE, blockerId, blockedId),
    );
  }

  override async unblock(blockerId: string, blockedId: string): Promise<void> {
    await this.changing({ blockerId, blockedId, blocked: false }, () =>
      this.database.dataSource.getRepository(BlockEntity).delete({ blockerId, blockedId }),
    );
  }

  override list(blockerId: string, before: string | null, limit: number): Promise<ListedUser[]> {
    return storeAnswer(() => listUsers(this.database.pool, TABLE, blockerId, before, limit));
  }

  override blockersOf(userId: string, candidates: readonly string[]): Promise<Set<string>> {
    if (candidates.length === 0) return Promise.resolve(new Set());
    return storeAnswer(async () => {
      const { rows } = await this.database.pool.query<[string]>({
        text: 'SELECT blocker_id FROM blocks WHERE blocked_id = $1 AND blocker_id = ANY($2::uuid[])',
        values: [userId, candidates],
        rowMode: 'array',
      });
      return new Set(rows.map(([blockerId]) => blockerId));
    });
  }

  override onBlocksChanged(listener: (change: BlockChange) => void | Promise<void>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  // Told when it ends in whatever way: after a lost connection the change may be in, and a cache that drops too much is
  // only slower.
  private async changing<T>(change: BlockChange, write: () => Promise<T>): Promise<T> {
    const written = write().finally(() => Promise.all([...this.listeners].map(async (listener) => listener(change))));
    return storeAnswer(() => written);
  }
}
