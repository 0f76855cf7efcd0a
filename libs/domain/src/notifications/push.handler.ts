import { Inject, Injectable } from '@nestjs/common';
import type { ConversationEvent, MessageSent } from '../conversation/events/conversation-event.js';
import { previewOf } from '../conversation/preview.js';
import { DurableEventHandler } from '../event-handlers/durable-event-handler.js';
import { SessionRegistry } from '../ports/session-registry.port.js';
import type { MessageNotice } from './push-notification.js';
import { PushOutbox } from './push-outbox.port.js';

/** Who is connected and has not acknowledged a message for so long is notified all the same. */
export const DELIVERY_WAIT_MS = 10_000;
/** A group is notified in pieces of so many members. */
const RECIPIENTS_MAX = 500;

/**
 * Turns what happens in conversations into what is to be pushed. It only writes the outbox: a provider that is down
 * delays no event.
 */
@Injectable()
export class PushEventHandler extends DurableEventHandler {
  override readonly name = 'push';
  override readonly appliesTo = [
    'message-sent',
    'message-edited',
    'message-deleted',
    'members-changed',
    'marks-advanced',
  ] as const;
  /** Half of the connections that a process has by default. */
  override readonly concurrencyMax: number = 4;

  constructor(
    @Inject(PushOutbox) private readonly outbox: PushOutbox,
    @Inject(SessionRegistry) private readonly sessions: SessionRegistry,
  ) {
    super();
  }

  override async hasNothingToDo(): Promise<boolean> {
    return !(await this.outbox.hasDevices());
  }

  override async handle(event: ConversationEvent): Promise<void> {
    const { conversationId } = event;
    switch (event.type) {
      case 'message-sent':
        return this.sent(event);
      case 'message-edited':
        return this.outbox.edited(conversationId, event.seq, previewOf(event.content, 'text'));
      case 'message-deleted':
        return this.outbox.deleted(conversationId, event.seq, event.messageId);
      case 'members-changed':
        return this.read(
          conversationId,
          event.removed.map((userId) => ({ userId, seq: Number.MAX_SAFE_INTEGER })),
        );
      case 'marks-advanced':
        return this.read(
          conversationId,
          event.marks.flatMap(({ userId, read }) => (read ? [{ userId, seq: read.seq }] : [])),
        );
      default:
    }
  }

  private async sent({ message, conversationId, at }: MessageSent): Promise<void> {
    const { seq, messageId, senderId, contentType, content } = message;
    const preview = previewOf(content, contentType);
    const notice: MessageNotice = { conversationId, seq, messageId, senderId, contentType, preview, sentAt: at };
    // Who writes has read.
    await this.outbox.read(conversationId, [{ userId: senderId, seq }]);
    for (let after: string | null = null; ;) {
      const userIds: string[] = await this.outbox.recipients(notice, after, RECIPIENTS_MAX);
      if (userIds.length > 0) {
        const live = await this.liveOf(userIds);
        const recipients = userIds.map((userId) => ({ userId, unlessDelivered: live.has(userId) }));
        await this.outbox.add(notice, recipients, DELIVERY_WAIT_MS);
      }
      if (userIds.length < RECIPIENTS_MAX) return;
      after = userIds.at(-1) ?? null;
    }
  }

  private async read(conversationId: string, marks: { userId: string; seq: number }[]): Promise<void> {
    if (marks.length > 0) await this.outbox.read(conversationId, marks);
  }

  /** Nobody, while nobody can say: the collapse id absorbs what is told twice. */
  private async liveOf(userIds: readonly string[]): Promise<Set<string>> {
    const sessions = await this.sessions.ofUsers(userIds);
    const live = new Set<string>();
    for (const [userId, devices] of sessions ?? []) if (devices.some(({ connected }) => connected)) live.add(userId);
    return live;
  }
}
