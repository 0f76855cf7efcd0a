import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PAGE_BYTES_MAX } from '@parley/contracts';
import {
  ConversationReader,
  linkedMessage,
  MediaLinks,
  messageJson,
  MessageStore,
  PipelineMetrics,
} from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import type { Connection } from '../connections/connection.js';
import type { DeliveryTrack } from '../connections/delivery-log.js';
import { encodedPacket } from '../connections/link.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import { RESYNC } from './live-writer.js';
import { ToldMemberships } from './told-memberships.js';

/** How long after the oldest unacked message was sent it goes out again, each time. */
export const RESEND_AFTER_MS: readonly number[] = [5_000, 10_000, 20_000];
/** A device that is further behind than this, or by more text than `PAGE_BYTES_MAX`, is told to sync instead. */
export const RESEND_MESSAGES_MAX = 100;
const SWEEP_EVERY_MS = 1_000;
/** Of one sweep; the rest wait for the next one, so that a thousand silent devices do not take the database. */
const TRACKS_PER_SWEEP_MAX = 500;
const READINGS_AT_ONCE = 8;

interface Overdue {
  connection: Connection;
  track: DeliveryTrack;
}

/** Sends messages again that a device which acks has not acked. */
@Injectable()
export class Resender implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger('Resender');
  private timer: NodeJS.Timeout | null = null;
  private sweeping = false;

  constructor(
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
    @Inject(MessageStore) private readonly store: MessageStore,
    @Inject(ToldMemberships) private readonly told: ToldMemberships,
    @Inject(PipelineMetrics) private readonly metrics: PipelineMetrics,
    @Inject(MediaLinks) private readonly links: MediaLinks,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_EVERY_MS);
    this.timer.unref();
  }

  onModuleDestroy(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** One round; a call while another one is under way does nothing. */
  async sweep(): Promise<void> {
    if (this.sweeping) return;
    this.sweeping = true;
    try {
      const waiting = this.overdue();
      const workers = Array.from({ length: Math.min(READINGS_AT_ONCE, waiting.length) }, () => this.work(waiting));
      await Promise.all(workers);
    } finally {
      this.sweeping = false;
    }
  }

  private overdue(): Overdue[] {
    const now = this.settings.now();
    const found: Overdue[] = [];
    for (const connection of this.registry.all()) {
      if (connection.closing) continue;
      for (const track of connection.deliveries.overdue(now, RESEND_AFTER_MS)) {
        found.push({ connection, track });
        if (found.length >= TRACKS_PER_SWEEP_MAX) return found;
      }
    }
    return found;
  }

  private async work(waiting: Overdue[]): Promise<void> {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      next.track.resends++;
      try {
        await this.resend(next.connection, next.track);
      } catch (error) {
        this.logger.warn(`Messages could not be sent again: ${String(error)}`);
      }
    }
  }

  private async resend(connection: Connection, track: DeliveryTrack): Promise<void> {
    const { conversationId } = track;
    const { userId } = connection;
    const { turn } = this.told;
    const view = await this.reader.memberView(conversationId, userId);
    if (!view) return connection.deliveries.forget(conversationId);
    const fromSeq = Math.max(track.ackedSeq + 1, view.visibleFromSeq);
    const toSeq = Math.min(track.sentSeq, view.lastSeq);
    if (toSeq < fromSeq) return;
    if (toSeq - fromSeq >= RESEND_MESSAGES_MAX) return connection.send(RESYNC);
    const messages = await this.store.read({
      conversationId,
      range: { fromSeq, toSeq },
      order: 'oldest-first',
      limit: RESEND_MESSAGES_MAX,
      bytesMax: PAGE_BYTES_MAX,
    });
    // The user may have left, or the device may have acked, while that was read.
    if (!connection.deliveries.holds(track) || this.told.removedSince(userId, conversationId, turn)) return;
    const last = messages.at(-1);
    if (last && last.seq < toSeq && track.ackedSeq < toSeq) return connection.send(RESYNC);
    const missing = messages.filter(({ seq, senderId }) => seq > track.ackedSeq && senderId !== userId);
    for (const message of missing) {
      const json = messageJson(linkedMessage(message, userId, this.links));
      connection.send(encodedPacket('new_message', json));
    }
    if (missing.length > 0) this.metrics.liveDeliveries(missing.length, true);
  }
}
