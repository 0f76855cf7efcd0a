import { Inject, Injectable } from '@nestjs/common';
import type { AckPayload, Message } from '@parley/contracts';
import type { Connection } from '../connections/connection.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';

/** Messages remembered in each of two generations; at 8,000 a second, two to four seconds: acks come after 0.2 s. */
const GENERATION_MESSAGES_MAX = 16_000;

interface Place {
  conversationId: string;
  seq: number;
}

/** Where the messages that were just delivered stand, so that their acks (thousands a second) ask no store. */
@Injectable()
export class RecentMessages {
  private young = new Map<string, Place>();
  private old = new Map<string, Place>();

  constructor(@Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings) {}

  remember({ messageId, conversationId, seq }: Message): void {
    if (this.young.size >= GENERATION_MESSAGES_MAX) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(messageId, { conversationId, seq });
  }

  /**
   * The place of a message that this very connection was sent, noted as acked; null when that is not known here. Nobody
   * learns from it where another's message is.
   */
  sentTo(connection: Connection, { messageId, conversationId }: AckPayload): Place | null {
    const place = this.young.get(messageId) ?? this.old.get(messageId);
    if (!place || (conversationId !== undefined && conversationId !== place.conversationId)) return null;
    if (!connection.deliveries.wasSent(place.conversationId, place.seq)) return null;
    connection.deliveries.acked(place.conversationId, place.seq, this.settings.now());
    return place;
  }
}
