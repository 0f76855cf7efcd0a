import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ConversationReader, type ChangePosition } from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { HeadsWriter } from './heads-writer.js';
import { ToldMemberships } from './told-memberships.js';

const USERS_PER_QUERY_MAX = 500;
/** After a failure it is tried again sooner: 30 s after a fault every client is to know what it missed. */
const RETRY_MS = 5_000;

/**
 * Asks the database, and never the broadcast, what changed for the users that are connected here. It finds the last event
 * of a conversation when that was lost, which no client can miss by itself, and lost joins and removals.
 */
@Injectable()
export class HeadsPoll implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('HeadsPoll');
  private position: ChangePosition | null = null;
  private timer: NodeJS.Timeout | null = null;
  private stopped = false;

  constructor(
    @Inject(ConversationReader) private readonly reader: ConversationReader,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(HeadsWriter) private readonly writer: HeadsWriter,
    @Inject(ToldMemberships) private readonly told: ToldMemberships,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(0);
  }

  onModuleDestroy(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
  }

  /** The first call only learns where the history of changes stands: clients sync when they connect. */
  async poll(): Promise<void> {
    const users = this.position === null ? [] : this.registry.userIds();
    let next: ChangePosition | null = null;
    for (let from = 0; from < users.length; from += USERS_PER_QUERY_MAX) {
      const { turn } = this.told;
      const answer = await this.reader.headsSince(users.slice(from, from + USERS_PER_QUERY_MAX), this.position);
      // The oldest position of them all: what changed between two queries is then seen twice, not never.
      next ??= answer.position;
      await this.writer.write(answer.heads, turn);
    }
    next ??= (await this.reader.headsSince([], this.position)).position;
    this.position = next;
  }

  private schedule(afterMs: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.tick(), afterMs);
    this.timer.unref();
  }

  private async tick(): Promise<void> {
    try {
      await this.poll();
      this.schedule(this.settings.headsEveryMs);
    } catch (error) {
      this.logger.warn(`Heads could not be read: ${String(error)}`);
      this.schedule(Math.min(RETRY_MS, this.settings.headsEveryMs));
    }
  }
}
