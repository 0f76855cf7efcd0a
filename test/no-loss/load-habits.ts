import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ERROR_CODES, type Conversation, type ErrorCode, type Message, type MessagePage } from '@parley/contracts';
import { seen } from './device-inbox.js';
import { contentHash, type HistoryRecorder } from './history.js';
import type { LoadDevice } from './load-device.js';

/** One send in so many is made again although it was answered. */
const REPEATED_EVERY = 12;
/** One send in so many goes by REST. */
const BY_REST_EVERY = 5;
const PAGE_LIMIT = 20;

type Outcome =
  | { kind: 'stored'; seq: number; messageId: string; duplicate: boolean | null }
  | { kind: 'accepted' }
  | { kind: 'unknown'; reason: string }
  | { kind: 'rejected'; code: string };

const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(Math.random() * items.length)];

/** What a user does all day; each loop ends when `isOver` says so, sends only once they are settled. */
export class LoadHabits {
  private readonly own: { conversation: string; seq: number; messageId: string }[] = [];
  private sends = 0;

  constructor(
    private readonly device: LoadDevice,
    private readonly history: HistoryRecorder,
    private readonly paceMs: number,
    private readonly isOver: () => boolean,
  ) {}

  async sendAllDay(): Promise<void> {
    while (!this.isOver()) {
      await this.pause(this.paceMs);
      const conversation = pick(this.device.inbox.conversations);
      if (conversation !== undefined) await this.sendUntilSettled(conversation);
    }
  }

  async readAllDay(): Promise<void> {
    while (!this.isOver()) {
      await this.pause(this.paceMs * 4);
      await this.tryTo(async () => {
        for (const [conversationId, { messageId }] of this.device.inbox.latest) {
          await this.device.ask('ack', { conversationId, messageId });
        }
        const latest = pick([...this.device.inbox.latest]);
        if (latest) await this.markRead(latest[0], latest[1].messageId);
      });
    }
  }

  async lookAroundAllDay(): Promise<void> {
    while (!this.isOver()) {
      await this.pause(this.paceMs * 5);
      const conversation = pick(this.device.inbox.conversations);
      if (conversation === undefined) continue;
      await this.tryTo(() => this.look(conversation));
      await this.tryTo(() => this.readNewest(conversation));
    }
  }

  async editAllDay(): Promise<void> {
    while (!this.isOver()) {
      await this.pause(this.paceMs * 8);
      const mine = pick(this.own);
      if (!mine) continue;
      const { conversation, seq, messageId } = mine;
      const content = `edited ${randomUUID()}`;
      this.history.record({ type: 'edit', user: this.device.user, conversation, seq, hash: contentHash(content) });
      await this.tryTo(() => this.device.ask('edit_message', { conversationId: conversation, messageId, content }));
    }
  }

  /** The whole history by pages, back to the first message that one may see. */
  async readEverything(conversation: string): Promise<void> {
    const view = await this.look(conversation);
    if (!view) return;
    let beside: { seq: number; messageId: string } | null = null;
    for (let hasMore = true; hasMore;) {
      const page: MessagePage | null = await this.page(conversation, beside, view.visibleFromSeq, 100);
      const last: Message | undefined = page?.items.at(-1);
      hasMore = page?.hasBefore ?? false;
      if (last) beside = last;
      else hasMore = false;
    }
  }

  async look(conversation: string): Promise<Conversation | null> {
    const { user, rest } = this.device;
    const id = this.history.ask(user, conversation);
    const answer = await rest.call('GET', `/v1/conversations/${conversation}`);
    if (answer.status !== 200) return null;
    const view = answer.json as Conversation;
    const { lastSeq, lastReadSeq, unreadCount } = view;
    this.history.record({ type: 'view', id, user, conversation, lastSeq, lastReadSeq, unreadCount });
    return view;
  }

  private async readNewest(conversation: string): Promise<void> {
    await this.page(conversation, null, null, PAGE_LIMIT);
  }

  private async page(
    conversation: string,
    beside: { seq: number; messageId: string } | null,
    /** Null where it may have changed: then the page's own end is believed. */
    visibleFromSeq: number | null,
    limit: number,
  ): Promise<MessagePage | null> {
    const { user, rest } = this.device;
    const id = this.history.ask(user, conversation);
    const before = beside ? `&before=${beside.messageId}` : '';
    const answer = await rest.call('GET', `/v1/conversations/${conversation}/messages?limit=${limit}${before}`);
    if (answer.status !== 200) return null;
    const page = answer.json as MessagePage;
    const last = page.items.at(-1);
    if (!last && visibleFromSeq === null) return page;
    this.history.record({
      type: 'page',
      id,
      user,
      conversation,
      order: 'newest-first',
      beside: beside?.seq ?? null,
      limit,
      visibleFromSeq: visibleFromSeq ?? (page.hasBefore ? 1 : (last?.seq ?? 1)),
      hasMore: page.hasBefore,
      messages: page.items.map(seen),
    });
    return page;
  }

  private async markRead(conversation: string, lastReadMessageId: string): Promise<void> {
    const { user } = this.device;
    const answer = await this.device.ask('read_receipt', { conversationId: conversation, lastReadMessageId });
    if (answer['ok'] !== true) return;
    this.history.record({ type: 'read', user, conversation, lastReadSeq: answer['lastReadSeq'] as number });
  }

  /** Sends, and sends again with the same clientMsgId until somebody knows what became of it. */
  private async sendUntilSettled(conversation: string): Promise<void> {
    const clientMsgId = randomUUID();
    const content = `${this.device.name} says ${clientMsgId}`;
    const key = { conversation, user: this.device.user, clientMsgId };
    let mayBeThere = false;
    for (let repeats = ++this.sends % REPEATED_EVERY === 0 ? 2 : 1; repeats > 0;) {
      // What is not sent is no send.
      await this.device.connected();
      this.history.record({ type: 'invoke', ...key, hash: contentHash(content) });
      let outcome = await this.attempt(conversation, clientMsgId, content);
      if (outcome.kind === 'accepted') {
        this.history.record({ type: 'accepted', ...key });
        // Its end may be lost on the way; it is learned by sending again.
        outcome = (await this.endOf(clientMsgId)) ?? { kind: 'unknown', reason: 'accepted, and no end was heard of' };
      }
      if (outcome.kind === 'unknown') {
        this.history.record({ type: 'unknown', ...key, reason: outcome.reason });
        mayBeThere = true;
        await delay(30 + Math.random() * 100);
        continue;
      }
      if (outcome.kind === 'rejected') {
        // A refusal of the second try says nothing about the first.
        this.history.record({ type: 'rejected', ...key, code: outcome.code, isFinal: !mayBeThere });
        return;
      }
      const { seq, messageId, duplicate } = outcome;
      this.history.record({ type: 'stored', ...key, seq, messageId, duplicate });
      this.device.sent(conversation, { seq, messageId, senderId: key.user, clientMsgId, hash: contentHash(content) });
      if (!mayBeThere) this.own.push({ conversation, seq, messageId });
      mayBeThere = true;
      repeats -= 1;
    }
  }

  private async attempt(conversationId: string, clientMsgId: string, content: string): Promise<Outcome> {
    try {
      if (this.sends % BY_REST_EVERY === 0) return await this.attemptByRest(conversationId, clientMsgId, content);
      const answer = await this.device.ask('send_message', { conversationId, clientMsgId, content });
      if (answer['ok'] === true && answer['status'] === 'stored') {
        const { seq, messageId, duplicate } = answer as unknown as Extract<Outcome, { kind: 'stored' }>;
        return { kind: 'stored', seq, messageId, duplicate };
      }
      if (answer['ok'] === true && answer['status'] === 'accepted') return { kind: 'accepted' };
      const { code } = (answer['error'] ?? { code: 'internal' }) as { code: ErrorCode };
      return refusalOf(code);
    } catch (error) {
      return { kind: 'unknown', reason: (error as Error).message };
    }
  }

  private async attemptByRest(conversationId: string, clientMsgId: string, content: string): Promise<Outcome> {
    const path = `/v1/conversations/${conversationId}/messages`;
    const { status, json } = await this.device.rest.call('POST', path, { body: { clientMsgId, content } });
    if (status === 202) return { kind: 'accepted' };
    if (status !== 200 && status !== 201) return refusalOf((json as { code: ErrorCode }).code);
    const { seq, messageId } = json as Message;
    return { kind: 'stored', seq, messageId, duplicate: status === 200 };
  }

  private async endOf(clientMsgId: string): Promise<Extract<Outcome, { kind: 'stored' | 'rejected' }> | null> {
    const end = await this.device.endOf(clientMsgId);
    if (!end) return null;
    if (end.status === 'rejected') return { kind: 'rejected', code: end.error?.code ?? 'internal' };
    return { kind: 'stored', seq: end.seq as number, messageId: end.messageId as string, duplicate: null };
  }

  /** What fails here fails because of the fault, and is seen elsewhere. */
  private async tryTo(act: () => Promise<unknown>): Promise<void> {
    await act().catch(() => delay(50));
  }

  private async pause(ms: number): Promise<void> {
    await delay(ms * (0.5 + Math.random()));
  }
}

function refusalOf(code: ErrorCode): Outcome {
  return ERROR_CODES[code].retryable ? { kind: 'unknown', reason: code } : { kind: 'rejected', code };
}
