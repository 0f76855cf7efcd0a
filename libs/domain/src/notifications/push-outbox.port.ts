import type { PushProviderName } from '@parley/contracts';
import type { MessageNotice, PushTask } from './push-notification.js';

/** Who is to be notified, and whether only if nothing of the message has arrived when its time has come. */
export interface Recipient {
  userId: string;
  unlessDelivered: boolean;
}

/** Everything up to there was read by this user. */
export interface ReadMark {
  userId: string;
  seq: number;
}

/**
 * How a task ended: `sent`; `gone`, the device's token is dead; `dropped`, nothing is to be sent any more; `again`, it
 * failed; `later`, nobody was asked, and it counts as no attempt.
 */
export type TaskEnd = { is: 'sent' | 'gone' | 'dropped' } | { is: 'again' | 'later'; inMs: number };

/** A task that was taken and not finished after this time is anybody's. */
export const TASK_CLAIM_MS = 30_000;

/**
 * What is to be pushed: for each device and conversation one task, the latest, so that an outage of a provider gathers no
 * more than that. And what devices show, for taking it away again. Everything may be asked twice.
 */
export abstract class PushOutbox {
  /** False while nobody could be notified of anything. */
  abstract hasDevices(): Promise<boolean>;
  /**
   * Members other than the sender that have a device, see the message, have not read it and have not muted the
   * conversation: by id, the first `limit` after `after`.
   */
  abstract recipients(notice: MessageNotice, after: string | null, limit: number): Promise<string[]>;
  /** Gives all devices of these users the task; those with `unlessDelivered` get it `waitMs` after the message. */
  abstract add(notice: MessageNotice, recipients: readonly Recipient[], waitMs: number): Promise<void>;
  /** What was not sent yet is sent with this text. */
  abstract edited(conversationId: string, seq: number, preview: string): Promise<void>;
  /** What was not sent yet is not sent; where it is shown it is taken away. */
  abstract deleted(conversationId: string, seq: number, messageId: string): Promise<void>;
  /** Drops what was not sent yet, and gives the devices that show something of it the task to take it away. */
  abstract read(conversationId: string, marks: readonly ReadMark[]): Promise<void>;
  /** Takes tasks whose time has come, the longest due first. */
  abstract claim(provider: PushProviderName, limit: number): Promise<PushTask[]>;
  /** What came to the device's conversation meanwhile stays, and is due now. */
  abstract finish(task: PushTask, end: TaskEnd): Promise<void>;
}
