import assert from 'node:assert/strict';
import type { ConversationTrack } from '../conversation-track.js';
import { ParleyError } from '../errors.js';
import type { TimelineItem } from '../timeline-items.js';
import type { TimelineWindow } from '../timeline-window.js';
import type { Conversation } from '../wire.js';
import { ModelClient, seededRandom } from './faulty-network.js';
import type { ModelServer } from './model-server.js';
import { ShownTimeline } from './shown-timeline.js';
import type { VirtualClock } from './virtual-clock.js';

/** One device of the user, behind a bad network, and what must hold of it at every moment. */
export class TrialDevice {
  readonly client: ModelClient;
  /** What was sent here, in its order. */
  readonly sent: string[] = [];
  /** Of those: failed here because the user did not belong to the conversation, or lost by the server afterwards. */
  readonly unsent = new Set<string>();
  readonly violations: unknown[] = [];
  readonly lookedUp = new Set<string>();
  private readonly shown = new ShownTimeline();
  private discontinuities = 0;
  private part: TimelineWindow | null = null;
  private current: ConversationTrack | undefined;
  private jumping = 0;
  lastAcked = 0;
  /** What had arrived when only the list showed it: it stays arrived while its page is loaded. */
  private listedSeq = 0;

  constructor(
    readonly name: string,
    private readonly server: ModelServer,
    private readonly clock: VirtualClock,
    userId: string,
    seed: number,
  ) {
    this.client = new ModelClient(userId, server, clock, seededRandom(seed), undefined, name);
    // Where they are called an error would count as the network's.
    const noted = (check: () => void): void => {
      try {
        check();
      } catch (violation) {
        this.violations.push(violation);
      }
    };
    this.client.onChange = () => noted(() => this.expectWhole());
    // Whoever comes back to a conversation looks at it again.
    this.client.onRemoved = () => this.open();
    this.client.onAsk = (event, payload) => {
      if (event === 'ack') noted(() => this.expectArrived((payload as { messageId: string }).messageId));
    };
  }

  async start(): Promise<void> {
    await this.client.messenger.start();
    this.client.connect();
    this.open();
  }

  open(): void {
    this.client.messenger.timelines.open(this.server.conversationId);
  }

  get track(): ConversationTrack | undefined {
    return this.client.messenger.tracks.get(this.server.conversationId);
  }

  get items(): readonly TimelineItem[] {
    return this.client.messenger.itemsOf(this.server.conversationId);
  }

  private get timelines() {
    return this.client.messenger.timelines;
  }

  /** At no time a hole, a repeat or a jump. */
  private expectWhole(): void {
    const { track, items } = this;
    if (track && this.client.isToldGone && !this.server.isMember) throw new Error('It was told to be gone');
    const shown = track?.shown?.items ?? [];
    shown.forEach(({ seq }, i) => {
      if (seq !== (shown[0]?.seq ?? 0) + i) throw new Error(`A hole before ${seq}`);
    });
    const seqs = items.flatMap(({ seq }) => (seq === null ? [] : [seq]));
    if (seqs.some((seq, i) => i > 0 && seq !== (seqs[i - 1] ?? 0) + 1)) throw new Error(`Out of order: ${seqs.join()}`);
    // A jump is another beginning, and so are the first page and what was told to be one.
    const isOther = track?.shown !== this.part && (this.jumping > 0 || this.part === null);
    const isAnew = track !== this.current || this.client.discontinuities.length > this.discontinuities;
    if (isOther || isAnew) this.shown.forget();
    if (this.client.discontinuities.at(-1) === 'reset' && isAnew) this.shown.forgetAll();
    this.part = track?.shown ?? null;
    this.current = track;
    this.discontinuities = this.client.discontinuities.length;
    // One that was being sent turns out to be stored before what has been loaded.
    const isBefore = (key: string): boolean =>
      (this.server.messages.find((one) => `${one.senderId}:${one.clientMsgId}` === key)?.seq ?? Infinity) <
      (shown[0]?.seq ?? 0);
    this.shown.expectToGoOn(items, shown, isBefore);
    if (!track) return;
    if (!track.window && !track.needsSync) this.listedSeq = track.conversation.lastSeq;
    this.shown.expectMarksToGoOn(track.conversation);
    const { unreadCount, lastSeq, lastReadSeq } = track.conversation;
    if (unreadCount !== Math.max(0, lastSeq - lastReadSeq)) throw new Error(`${unreadCount} unread of ${lastSeq}`);
  }

  /** Nothing is acknowledged that is not here, with all before it. */
  private expectArrived(messageId: string): void {
    const seq = this.server.messages.find((one) => one.messageId === messageId)?.seq ?? 0;
    const { track } = this;
    const here = Math.max(this.listedSeq, track?.window ? track.window.tailSeq : (track?.conversation.lastSeq ?? 0));
    if (seq > here) throw new Error(`Acknowledged ${seq}, and has ${here}`);
    this.lastAcked = Math.max(this.lastAcked, seq);
  }

  async send(): Promise<void> {
    // After a removal an application cannot send here any more.
    if (!this.track) return;
    const clientMsgId = `${this.name}-${this.sent.length}`;
    this.sent.push(clientMsgId);
    const entry = { clientMsgId, conversationId: this.server.conversationId, content: `content of ${clientMsgId}` };
    const rest = { contentType: 'text' as const, mediaIds: [], replyToMessageId: null, failure: null };
    await this.client.messenger.outbox.add({ ...entry, ...rest, createdAtMs: this.clock.now() });
  }

  async reload(isKilled: boolean): Promise<void> {
    // Who is killed may not have kept the last versions that it showed: the store is written a little later.
    if (isKilled) this.shown.forgetAll();
    else this.shown.forget();
    this.lookedUp.clear();
    await (isKilled ? this.client.crash() : this.client.reload());
    this.open();
  }

  older(): void {
    this.timelines.loadOlder(this.server.conversationId).catch(onlyRefusals);
  }

  newer(): void {
    this.timelines.loadNewer(this.server.conversationId).catch(onlyRefusals);
  }

  jump(messageId: string): void {
    this.jumping++;
    this.timelines
      .jumpTo(this.server.conversationId, messageId)
      .catch(onlyRefusals)
      .finally(() => this.jumping--);
  }

  jumpToLatest(): void {
    this.jumping++;
    this.timelines.jumpToLatest(this.server.conversationId);
    this.jumping--;
  }

  lookUp(messageId: string): void {
    this.timelines
      .message(this.server.conversationId, messageId)
      .then(() => this.lookedUp.add(messageId), onlyRefusals);
  }

  /** The answer of a call that shows the conversation, which comes late. */
  meetLater(delayMs: number): void {
    const { track } = this;
    if (!this.server.isMember || !track) return;
    const snapshot = this.server.conversation();
    const answer = new Promise<Conversation>((done) => void this.clock.after(delayMs, () => done(snapshot)));
    void this.client.messenger.meetAnswer(() => answer);
  }

  markRead(): void {
    this.client.messenger.markRead(this.server.conversationId);
  }

  /** The server has lost messages: their being taken back is no fault of the device. */
  serverWentBack(lost: readonly string[]): void {
    for (const clientMsgId of lost) this.unsent.add(clientMsgId);
    this.shown.forgetAll();
    this.lookedUp.clear();
    this.lastAcked = Math.min(this.lastAcked, this.server.messages.length);
  }

  /** What is shown, as the server has it. */
  expectEqual(): void {
    if (this.violations.length > 0) throw this.violations[0];
    const { items, server, track } = this;
    const first = items[0]?.seq ?? server.visibleFromSeq;
    const expected = server.messages.slice(first - 1, track?.detached ? first - 1 + items.length : undefined);
    assert.deepEqual(items.filter(({ status }) => status !== 'failed').map(face), expected.map(face));
    const visible = server.messages.length - server.visibleFromSeq + 1;
    assert.ok(items.length >= Math.min(visible, 50), `Only ${items.length} of ${visible} are shown`);
    for (const messageId of this.lookedUp) {
      const kept = track?.find(messageId);
      if (kept) assert.deepEqual(kept, server.message(messageId));
    }
  }

  /** Nothing waits any more, and the conversation is what the server says it is. */
  expectSettled(isToldOfMarks: boolean): void {
    const { server, client, track } = this;
    assert.deepEqual(
      client.messenger.outbox.entries.filter(({ failure }) => failure === null),
      [],
    );
    for (const { clientMsgId, failure } of client.messenger.outbox.entries) {
      assert.equal(failure?.code, 'not_found');
      this.unsent.add(clientMsgId);
    }
    // A page is refused to somebody who has not heard of the removal yet.
    assert.deepEqual(
      client.faultsTold.filter((fault) => !(fault instanceof ParleyError && fault.status === 404)),
      [],
    );
    if (!server.isMember) return assert.equal(track, undefined, 'A conversation that is gone is listed');
    assert.deepEqual(
      track && summaryOf(track.conversation, client.userId, isToldOfMarks),
      summaryOf(server.conversation(), client.userId, isToldOfMarks),
    );
    assert.equal(track?.needsSync, false, 'It still waits for something');
    // What came live, and what no device has told to have come.
    const { messages } = server;
    const ownMark = server.conversation().lastReadSeq;
    const due = messages.at(-1)?.senderId === client.userId ? 0 : messages.length;
    const toAck = Math.max(client.seqToldLive, due > ownMark ? due : 0);
    assert.ok(this.lastAcked >= toAck, `Acknowledged ${this.lastAcked} of ${toAck}`);
    return undefined;
  }
}

/** What is refused to somebody who asks is no defect; anything else is. */
function onlyRefusals(cause: unknown): void {
  if (!(cause instanceof ParleyError)) throw cause;
}

type Face = Pick<TimelineItem, 'messageId' | 'seq' | 'content' | 'editedAt' | 'deletedAt' | 'reactions'>;

function face({ messageId, seq, content, editedAt, deletedAt, reactions }: Face): Face {
  return { messageId, seq, content, editedAt, deletedAt, reactions };
}

/** Of marks, a client hears by events that come once; a sync tells them again. */
function summaryOf(conversation: Conversation, selfId: string, isWithMarks: boolean) {
  const { name, lastRev, lastSeq, lastMessage, memberCount, role, visibleFromSeq, members } = conversation;
  const { lastReadSeq, unreadCount, lastReadMessageId } = conversation;
  const marks = (one: Conversation['members'][number]) =>
    isWithMarks && one.userId !== selfId ? [one.lastReadMessageId, one.lastDeliveredMessageId] : [];
  return {
    shown: { name, lastRev, lastSeq, memberCount, role, visibleFromSeq, preview: lastMessage?.preview },
    members: members.map((one) => [one.userId, one.role, ...marks(one)].join()).sort(),
    own: isWithMarks && { lastReadSeq, unreadCount, lastReadMessageId },
  };
}
