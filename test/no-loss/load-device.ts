import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AckEvent, Conversation, Message, SyncAnswer } from '@parley/contracts';
import { io, type Socket } from 'socket.io-client';
import { RestClient } from '../clients/rest-client.js';
import { DeviceInbox } from './device-inbox.js';
import type { HistoryRecorder, SeenMessage } from './history.js';

const ANSWER_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;
const SETTLED_TIMEOUT_MS = 10_000;
const GAP_PATIENCE_MS = 200;
const RECONNECT_MS_MAX = 400;

interface Told {
  name: string;
  payload: never;
}

/** A user's device as the SDK would be: it reconnects, notices gaps, syncs, acknowledges. Raw socket, own bookkeeping. */
export class LoadDevice {
  readonly inbox: DeviceInbox;
  readonly rest: RestClient;
  private readonly deviceId = randomUUID();
  private socket: Socket | undefined;
  private since: string | undefined;
  private isRunning = true;
  /** While a sync is under way, live events wait behind it. */
  private readonly waiting: Told[] = [];
  private syncing: Promise<void> | undefined;
  private gapTimer: NodeJS.Timeout | undefined;
  private giveUp: () => void = () => {};
  private running: Promise<void> | undefined;
  /** How sends that were answered `accepted` ended, by clientMsgId. */
  private readonly settled = new Map<string, AckEvent>();

  constructor(
    readonly user: string,
    readonly name: string,
    private readonly token: string,
    private readonly url: string,
    private readonly history: HistoryRecorder,
  ) {
    this.inbox = new DeviceInbox({ user, device: name }, history);
    this.rest = new RestClient(url, token);
  }

  start(): void {
    this.running = this.stayConnected();
  }

  async stop(): Promise<void> {
    this.isRunning = false;
    clearTimeout(this.gapTimer);
    this.socket?.close();
    this.giveUp();
    await this.running;
  }

  /** The network goes away for a moment. */
  cut(): void {
    // While a connection is being made the library would wait for its time-out.
    if (this.isConnected) this.socket?.io.engine?.close();
  }

  /** Resolves at once while it is connected, and soon after it is again. */
  async connected(): Promise<void> {
    while (!this.isConnected && this.isRunning) await delay(10);
  }

  private get isConnected(): boolean {
    return this.socket?.connected ?? false;
  }

  /** An own message takes its place by its answer: live it goes to every socket but the one that sent it. */
  sent(conversation: string, message: SeenMessage): void {
    if (this.inbox.takes(conversation, message)) this.fillGapSoon();
  }

  /** How an accepted send ended; null when nothing is heard of it for as long as a client waits. */
  async endOf(clientMsgId: string): Promise<AckEvent | null> {
    for (const end = performance.now() + SETTLED_TIMEOUT_MS; performance.now() < end && this.isRunning;) {
      const ack = this.settled.get(clientMsgId);
      if (ack) return ack;
      await delay(20);
    }
    return null;
  }

  /** The answer of the acknowledgement callback. @throws on a time-out or a lost connection */
  async ask(name: string, payload: object): Promise<Record<string, unknown>> {
    const socket = this.socket;
    if (!socket?.connected) throw new Error('not connected');
    let onLoss: () => void = () => {};
    const lost = new Promise<never>((_, fail) => {
      onLoss = () => fail(new Error('disconnected'));
      socket.once('disconnect', onLoss);
    });
    lost.catch(() => {});
    const answer = socket.timeout(ANSWER_TIMEOUT_MS).emitWithAck(name, payload) as Promise<Record<string, unknown>>;
    answer.catch(() => {});
    return Promise.race([answer, lost]).finally(() => socket.off('disconnect', onLoss));
  }

  /** Asks for everything that is missing, now; one at a time. */
  async sync(): Promise<void> {
    this.syncing ??= this.syncOnce().finally(() => {
      this.syncing = undefined;
      this.hearWhatWaited();
    });
    return this.syncing;
  }

  private async stayConnected(): Promise<void> {
    while (this.isRunning) {
      const socket = io(this.url, {
        auth: { token: this.token, deviceId: this.deviceId },
        transports: ['websocket'],
        forceNew: true,
        reconnection: false,
        timeout: CONNECT_TIMEOUT_MS,
      });
      this.socket = socket;
      const over = new Promise<void>((done) => {
        socket.once('disconnect', () => done());
        socket.once('connect_error', () => done());
        // A socket that is closed while it connects tells nobody.
        this.giveUp = done;
      });
      socket.onAny((name: string, payload: unknown) => this.told({ name, payload: payload as never }));
      socket.once('connect', () => void this.catchUp());
      await over;
      socket.close();
      await delay(20 + Math.random() * RECONNECT_MS_MAX);
    }
  }

  /** A client that could not sync tries again: what it missed is told by nothing else for a while. */
  private async catchUp(): Promise<void> {
    while (this.isConnected && this.isRunning) {
      try {
        return await this.sync();
      } catch {
        await delay(GAP_PATIENCE_MS);
      }
    }
  }

  private async syncOnce(): Promise<void> {
    for (let isMore = true; isMore && this.isRunning;) {
      const request = { cursors: this.inbox.cursors(), limit: 100, ...(this.since && { since: this.since }) };
      const answer = (await this.ask('sync', request)) as unknown as SyncAnswer & { ok: boolean };
      if (!answer.ok) throw new Error(`sync: ${JSON.stringify(answer)}`);
      isMore = this.inbox.synced(answer);
      if (!isMore) this.since = answer.syncedAt;
    }
  }

  private told(told: Told): void {
    if (this.syncing) this.waiting.push(told);
    else this.hear(told);
  }

  /** All of it came before the sync's answer did; of what that says is gone, nothing older counts. */
  private hearWhatWaited(): void {
    const { goneBySync } = this.inbox;
    for (const told of this.waiting.splice(0)) {
      const { conversationId } = told.payload as { conversationId: string };
      if (told.name === 'new_message' && goneBySync.has(conversationId)) continue;
      if (told.name === 'conversation_created' || told.name === 'conversation_removed')
        goneBySync.delete(conversationId);
      this.hear(told);
    }
    goneBySync.clear();
  }

  private hear({ name, payload }: Told): void {
    switch (name) {
      case 'new_message':
        if (this.inbox.arrives(payload as Message)) this.fillGapSoon();
        return;
      case 'message_updated':
      case 'members_changed':
      case 'conversation_updated':
        return this.hearChange(payload);
      case 'ack':
        return void this.settled.set((payload as AckEvent).clientMsgId, payload);
      case 'conversation_created':
        return this.inbox.belongs(payload as Conversation);
      case 'conversation_removed':
        return this.inbox.leaves((payload as { conversationId: string }).conversationId);
      case 'read_receipt':
      case 'delivery_receipt':
        return this.hearMark(payload);
      case 'resync':
        return void this.sync().catch(() => {});
      case 'heads':
        return this.hearHeads(payload);
    }
  }

  private hearChange({ conversationId, rev }: { conversationId: string; rev: number }): void {
    this.history.record({ type: 'told', device: this.name, user: this.user, conversation: conversationId, rev });
  }

  private hearMark(mark: {
    conversationId: string;
    userId: string;
    lastReadMessageId?: string;
    lastDeliveredMessageId?: string;
  }): void {
    const kind = mark.lastReadMessageId === undefined ? 'delivered' : 'read';
    const messageId = (mark.lastReadMessageId ?? mark.lastDeliveredMessageId) as string;
    const place = { conversation: mark.conversationId, user: mark.userId };
    this.history.record({ type: 'mark', device: this.name, ...place, kind, messageId });
  }

  private hearHeads({ heads }: { heads: { conversationId: string; lastSeq: number }[] }): void {
    // One that is not known here was joined, and nobody told this device.
    const isBehind = heads.some(({ conversationId, lastSeq }) => (this.inbox.nextOf(conversationId) ?? 0) <= lastSeq);
    if (isBehind) this.fillGapSoon();
  }

  /** What is late may still come by itself. */
  private fillGapSoon(): void {
    clearTimeout(this.gapTimer);
    this.gapTimer = setTimeout(() => void this.sync().catch(() => {}), GAP_PATIENCE_MS);
  }
}
