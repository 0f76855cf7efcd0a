import { Inject, Injectable } from '@nestjs/common';
import {
  DELIVERY_RECEIPT_MEMBERS_MAX,
  ERROR_CODES,
  READ_RECEIPT_MEMBERS_MAX,
  type AckEvent,
  type ErrorCode,
  type Message,
} from '@parley/contracts';
import {
  ConversationReader,
  linkedMessage,
  MediaLinks,
  messageJson,
  PipelineMetrics,
  type LiveConversationCreated,
  type LiveConversationRenamed,
  type LiveMarksAdvanced,
  type LiveMembersChanged,
  type LiveMessageChanged,
  type LiveMessageSent,
  type LiveSendSettled,
  type LiveTyping,
  type Membership,
} from '@parley/domain';
import { ConnectionRegistry } from '../connections/connection-registry.js';
import { encodedPacket, serverPacket, type ServerPacket } from '../connections/link.js';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';
import type { PacedRead } from './read-receipt-pace.js';
import { RecentMessages } from './recent-messages.js';
import { ToldMemberships } from './told-memberships.js';

interface Placed {
  conversationId: string;
  membershipEpoch: number;
}

interface Recipients {
  /** What it is about: nothing for those who do not see so far back. */
  seq?: number;
  exceptUserId?: string;
}

/**
 * Live events in the wire's words, each encoded once and written to the sockets of those who may see it. Every method is
 * given a membership that is at least as new as its event, and may be newer: who joined after the event does not get it
 * (messages and their changes by `visibleFromSeq`, all else by `joinedEpoch`), for its `conversation_created` shows what
 * came of it. A socket that was told of its user's removal gets nothing before it is told of the return.
 */
@Injectable()
export class LiveWriter {
  /** Who is being told of a return that was not heard of: user and conversation. */
  private readonly returning = new Set<string>();

  constructor(
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(ConversationReader) private readonly reader: ConversationReader,
    @Inject(RecentMessages) private readonly recent: RecentMessages,
    @Inject(ToldMemberships) private readonly told: ToldMemberships,
    @Inject(PipelineMetrics) private readonly metrics: PipelineMetrics,
    @Inject(MediaLinks) private readonly links: MediaLinks,
    @Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings,
  ) {}

  messageSent({ message, originConnectionId, submittedAt }: LiveMessageSent, { members }: Membership): void {
    const packetFor = this.packetsOf('new_message', message);
    const now = this.settings.now();
    let delivered = 0;
    for (const [userId, member] of members) {
      if (message.seq < member.visibleFromSeq) continue;
      for (const connection of this.registry.ofUser(userId)) {
        if (connection.id === originConnectionId || connection.closing) continue;
        if (connection.left.has(message.conversationId)) {
          this.returned(userId, message.conversationId);
          continue;
        }
        connection.send(packetFor(userId));
        delivered++;
        this.metrics.messageDelivered(now - submittedAt);
        // A member's own message needs no ack from its other devices.
        if (userId === message.senderId) continue;
        if (!connection.deliveries.sent(message.conversationId, message.seq, now)) connection.send(RESYNC);
      }
    }
    if (delivered === 0) return;
    this.recent.remember(message);
    this.metrics.liveDeliveries(delivered, false);
  }

  messageChanged({ message }: LiveMessageChanged, membership: Membership): void {
    const packetFor = this.packetsOf('message_updated', message);
    for (const [userId, member] of membership.members) {
      if (message.seq < member.visibleFromSeq || !this.isConnected(userId)) continue;
      this.toMember(userId, message.conversationId, packetFor(userId));
    }
  }

  renamed(event: LiveConversationRenamed, membership: Membership): void {
    const { conversationId, rev, name } = event;
    this.toMembers(event, membership, serverPacket('conversation_updated', { conversationId, rev, name }));
  }

  typing(event: LiveTyping, membership: Membership): void {
    const { conversationId, userId, isTyping } = event;
    const packet = serverPacket('typing_indicator', { conversationId, userId, isTyping });
    this.toMembers(event, membership, packet, { exceptUserId: userId });
  }

  delivered(event: LiveMarksAdvanced, membership: Membership): void {
    const { conversationId, memberCount, marks } = event;
    if (memberCount > DELIVERY_RECEIPT_MEMBERS_MAX) return;
    for (const { userId, delivered } of marks) {
      if (!delivered) continue;
      const lastDeliveredMessageId = delivered.messageId;
      const packet = serverPacket('delivery_receipt', { conversationId, userId, lastDeliveredMessageId });
      this.toMembers(event, membership, packet, { seq: delivered.seq, exceptUserId: userId });
    }
  }

  read(event: PacedRead, membership: Membership): void {
    const { conversationId, memberCount, userId, read } = event;
    const packet = serverPacket('read_receipt', { conversationId, userId, lastReadMessageId: read.messageId });
    if (memberCount <= READ_RECEIPT_MEMBERS_MAX) return this.toMembers(event, membership, packet, { seq: read.seq });
    const reader = membership.members.get(userId);
    if (reader && read.seq >= reader.visibleFromSeq) this.toMember(userId, conversationId, packet);
  }

  settled({ userId, conversationId, clientMsgId, outcome }: LiveSendSettled): void {
    const place = { clientMsgId, conversationId };
    let ack: AckEvent;
    if (outcome.status === 'stored') {
      const { messageId, seq, rev, at } = outcome;
      ack = { ...place, status: 'stored', messageId, seq, rev, timestamp: new Date(at).toISOString() };
    } else {
      const code: ErrorCode = Object.hasOwn(ERROR_CODES, outcome.code) ? (outcome.code as ErrorCode) : 'internal';
      const { status, retryable } = ERROR_CODES[code];
      ack = { ...place, status: 'rejected', error: { code, status, detail: outcome.detail, retryable } };
    }
    this.toUser(userId, serverPacket('ack', ack));
  }

  /** Needs no membership: who was removed is in the event, and must hear of it even when nothing can be read. */
  removed({ conversationId, removed }: LiveMembersChanged): void {
    for (const userId of removed) this.tellRemoved(userId, conversationId);
  }

  tellRemoved(userId: string, conversationId: string): void {
    this.told.removed(userId, conversationId);
    const connections = this.registry.ofUser(userId);
    if (connections.length === 0) return;
    const packet = serverPacket('conversation_removed', { conversationId });
    for (const connection of connections) {
      connection.deliveries.forget(conversationId);
      connection.left.add(conversationId);
      connection.send(packet);
    }
  }

  async membersChanged(event: LiveMembersChanged, membership: Membership): Promise<void> {
    const { conversationId, membershipEpoch, rev, removed, roles } = event;
    const added = new Set(event.added);
    const told: string[] = [];
    for (const [userId, member] of membership.members) {
      const wasThere = member.joinedEpoch <= membershipEpoch && !added.has(userId);
      if (wasThere && this.isConnected(userId)) told.push(userId);
    }
    if (told.length > 0) {
      const { turn } = this.told;
      const members = added.size > 0 ? await this.reader.membersById(conversationId, event.added) : [];
      const packet = serverPacket('members_changed', { conversationId, rev, added: members, removed, roles });
      for (const userId of told) {
        if (!this.told.removedSince(userId, conversationId, turn)) this.toMember(userId, conversationId, packet);
      }
    }
    await this.tellCreated(conversationId, event.added);
  }

  created({ conversationId, memberIds }: LiveConversationCreated): Promise<void> {
    return this.tellCreated(conversationId, memberIds);
  }

  /** Each user's own view of the conversation; those who do not belong to it by now get nothing. */
  async tellCreated(conversationId: string, userIds: readonly string[]): Promise<void> {
    const connected = userIds.filter((userId) => this.isConnected(userId));
    if (connected.length === 0) return;
    const { turn } = this.told;
    const views = await this.reader.conversationFor(conversationId, connected);
    for (const [userId, view] of views) {
      if (this.told.removedSince(userId, conversationId, turn)) continue;
      this.told.created(userId, conversationId);
      const packet = serverPacket('conversation_created', view);
      for (const connection of this.registry.ofUser(userId)) {
        connection.left.delete(conversationId);
        connection.send(packet);
      }
    }
  }

  /** A socket of the user's was told of the removal, and of nothing since. */
  hasLeft(userId: string, conversationId: string): boolean {
    return this.registry.ofUser(userId).some((connection) => connection.left.has(conversationId));
  }

  toUser(userId: string, packet: ServerPacket): void {
    for (const connection of this.registry.ofUser(userId)) connection.send(packet);
  }

  /** One packet for all; where it has media, whose links are each viewer's own, one for each user. */
  private packetsOf(event: 'new_message' | 'message_updated', message: Message): (userId: string) => ServerPacket {
    let packet: ServerPacket | null = null;
    let packetOf: string | null = null;
    return (userId) => {
      if (packet === null || (message.media.length > 0 && packetOf !== userId)) {
        packet = encodedPacket(event, messageJson(linkedMessage(message, userId, this.links)));
        packetOf = userId;
      }
      return packet;
    };
  }

  private isConnected(userId: string): boolean {
    return this.registry.ofUser(userId).length > 0;
  }

  private toMembers(
    { conversationId, membershipEpoch }: Placed,
    { members }: Membership,
    packet: ServerPacket,
    { seq = Infinity, exceptUserId }: Recipients = {},
  ): void {
    for (const [userId, member] of members) {
      if (userId === exceptUserId || seq < member.visibleFromSeq || membershipEpoch < member.joinedEpoch) continue;
      this.toMember(userId, conversationId, packet);
    }
  }

  private toMember(userId: string, conversationId: string, packet: ServerPacket): void {
    for (const connection of this.registry.ofUser(userId)) {
      if (connection.left.has(conversationId)) this.returned(userId, conversationId);
      else connection.send(packet);
    }
  }

  /**
   * By the members, the user of a socket that was last told of a removal belongs here. Either they are older than the
   * removal, and the user has no view of the conversation, or the news of the return was lost, and this is it. What is
   * kept from the socket until then is in the view, or is missed by its rev.
   */
  private returned(userId: string, conversationId: string): void {
    const key = `${userId}:${conversationId}`;
    if (this.returning.has(key)) return;
    this.returning.add(key);
    void this.tellCreated(conversationId, [userId])
      // The next event or the next poll of heads tries again.
      .catch(() => {})
      .finally(() => this.returning.delete(key));
  }
}

export const RESYNC: ServerPacket = serverPacket('resync', {});
