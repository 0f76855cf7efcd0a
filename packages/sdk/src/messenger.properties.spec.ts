import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConversationTrack } from './conversation-track.js';
import { GAP_WAIT_MS } from './sync-engine.js';
import { ModelClient, NO_FAULTS, seededRandom, type Faults } from './testing/faulty-network.js';
import { ModelServer } from './testing/model-server.js';
import { VirtualClock } from './testing/virtual-clock.js';
import type { TimelineItem } from './timeline-items.js';
import type { TimelineWindow } from './timeline-window.js';
import type { Message } from './wire.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

type Step =
  | { readonly do: 'post' | 'send' | 'edit' | 'wait' | 'jump' | 'lookUp'; readonly much: number }
  | { readonly do: 'rename' | 'cut' | 'connect' | 'reload' | 'heads' | 'older' | 'newer' | 'latest' | 'read' };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('post' as const), much: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('post' as const), much: fc.integer({ min: 90, max: 260 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('older' as const, 'newer' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), much: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('edit' as const), much: fc.nat({ max: 1_000 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('jump' as const, 'jump' as const, 'lookUp' as const),
      much: fc.nat({ max: 1_000 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), much: fc.integer({ min: 10, max: 1_500 }) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'rename' as const,
        'cut' as const,
        'connect' as const,
        'reload' as const,
        'heads' as const,
        'older' as const,
        'newer' as const,
        'newer' as const,
        'latest' as const,
        'read' as const,
      ),
    }),
  },
);
/** In hundredths: numbers with a point would nearly all be as good as nothing. */
const chance = fc.integer({ min: 0, max: 50 }).map((hundredths) => hundredths / 100);
const faults: fc.Arbitrary<Faults> = fc.record({
  lostEvent: chance,
  doubledEvent: chance,
  lostRequest: fc.integer({ min: 0, max: 20 }).map((hundredths) => hundredths / 100),
  lostAnswer: fc.integer({ min: 0, max: 20 }).map((hundredths) => hundredths / 100),
  accepted: chance,
  delayMsMax: fc.integer({ min: 0, max: 2_500 }),
});

const RANKS = ['sending', 'sent', 'delivered', 'read'];

/** What was shown, and must not be taken back. */
class Shown {
  private keys: string[] = [];
  private readonly ranks = new Map<string, number>();
  private readonly revs = new Map<string, number>();

  /** The page was loaded anew, or something else is looked at: what follows need not go on from what was. */
  forget(): void {
    this.keys = [];
    this.ranks.clear();
  }

  /** @throws Error when a message has gone, has moved, is in an older version, or went back from what it was */
  expectToGoOn(items: readonly TimelineItem[], messages: readonly Message[], isBefore: (key: string) => boolean): void {
    const keys = items.map(({ key }) => key);
    const places = new Map(keys.map((key, i) => [key, i]));
    if (places.size !== keys.length) throw new Error('A message is shown twice');
    for (const key of this.keys) if (!places.has(key) && !isBefore(key)) throw new Error(`${key} has gone`);
    this.keys = keys;
    for (const { key, status } of items) {
      const rank = RANKS.indexOf(status);
      if (rank < (this.ranks.get(key) ?? rank)) throw new Error(`${key} went back to ${status}`);
      this.ranks.set(key, rank);
    }
    for (const { messageId, rev } of messages) {
      if (rev < (this.revs.get(messageId) ?? rev)) throw new Error(`${messageId} is in an older version`);
      this.revs.set(messageId, rev);
    }
  }
}

/** One run: a server, somebody who writes there, and a client behind a bad network. */
class Trial {
  readonly clock = new VirtualClock();
  readonly server = new ModelServer([ADA, BOB]);
  readonly client: ModelClient;
  readonly sent: string[] = [];
  readonly lookedUp = new Set<string>();
  readonly violations: unknown[] = [];
  private readonly shown = new Shown();
  private discontinuities = 0;
  private part: TimelineWindow | null = null;
  private jumping = 0;
  private lastAcked = 0;
  private posted = 0;

  constructor(seed: number, before: number) {
    for (let i = 0; i < before; i++) this.post();
    this.client = new ModelClient(ADA, this.server, this.clock, seededRandom(seed));
    // As the real one: not to the socket that sent it, and everything else to everybody.
    this.server.onEvent = (event, by) => {
      if (event.name !== 'new_message' || by !== ADA) this.client.deliver(event);
    };
    // Where they are called an error would count as the network's.
    const noted = (check: () => void): void => {
      try {
        check();
      } catch (violation) {
        this.violations.push(violation);
      }
    };
    this.client.onChange = () => noted(() => this.expectWhole());
    this.client.onAsk = (name, payload) => {
      if (name === 'ack') noted(() => this.expectArrived((payload as { messageId: string }).messageId));
    };
  }

  post(): void {
    this.posted++;
    this.server.post(BOB, `from bob ${this.posted}`, `bob-${this.posted}`);
  }

  get track(): ConversationTrack | undefined {
    return this.client.messenger.tracks.get(this.server.conversationId);
  }

  get items() {
    return this.client.messenger.itemsOf(this.server.conversationId);
  }

  private get timelines() {
    return this.client.messenger.timelines;
  }

  /** At no time a hole, a repeat or a jump. */
  private expectWhole(): void {
    const { track, items } = this;
    const shown = track?.shown?.items ?? [];
    shown.forEach(({ seq }, i) => {
      if (seq !== (shown[0]?.seq ?? 0) + i) throw new Error(`A hole before ${seq}`);
    });
    const seqs = items.flatMap(({ seq, status }) => (seq !== null && status !== 'sent' ? [seq] : []));
    if (seqs.some((seq, i) => i > 0 && seq <= (seqs[i - 1] ?? 0))) throw new Error(`Out of order: ${seqs.join()}`);
    // A jump is another beginning, and so are the first page and what was told to be one.
    const isOther = track?.shown !== this.part && (this.jumping > 0 || this.part === null);
    if (isOther || this.client.discontinuities.length > this.discontinuities) this.shown.forget();
    this.part = track?.shown ?? null;
    this.discontinuities = this.client.discontinuities.length;
    // One that was being sent turns out to be stored before what has been loaded.
    const isBefore = (key: string): boolean =>
      (this.server.messages.find((one) => `${one.senderId}:${one.clientMsgId}` === key)?.seq ?? Infinity) <
      (shown[0]?.seq ?? 0);
    this.shown.expectToGoOn(items, shown, isBefore);
    if (!track) return;
    const { unreadCount, lastSeq, lastReadSeq } = track.conversation;
    if (unreadCount !== Math.max(0, lastSeq - lastReadSeq)) throw new Error(`${unreadCount} unread of ${lastSeq}`);
  }

  /** Nothing is acknowledged that is not here, with all before it, and acknowledgements only move forward. */
  private expectArrived(messageId: string): void {
    const { seq } = this.server.message(messageId);
    const { track } = this;
    const here = track?.window ? track.window.tailSeq : (track?.conversation.lastSeq ?? 0);
    if (seq > here) throw new Error(`Acknowledged ${seq}, and has ${here}`);
    this.lastAcked = Math.max(this.lastAcked, seq);
  }

  async take(step: Step): Promise<void> {
    await this.doStep(step);
    if (this.violations.length > 0) throw this.violations[0];
  }

  private async doStep(step: Step): Promise<void> {
    const { client, server, clock, timelines } = this;
    const { conversationId } = server;
    const some = (much: number): string =>
      server.messages[much % Math.max(1, server.messages.length)]?.messageId ?? '1';
    switch (step.do) {
      case 'post':
        for (let i = 0; i < step.much; i++) this.post();
        return;
      case 'send':
        for (let i = 0; i < step.much; i++) await this.send();
        return;
      case 'edit': {
        // Every other one is of what is on the screen.
        const shown = this.track?.shown?.items ?? [];
        const { seq } = (step.much % 2 === 1 && shown[step.much % shown.length]) || {
          seq: 1 + (step.much % Math.max(1, server.messages.length)),
        };
        return server.edit(seq, `edited ${server.rev}`);
      }
      case 'wait':
        return clock.advance(step.much);
      case 'rename':
        return server.rename(`name ${server.rev}`);
      case 'cut':
        return client.cut();
      case 'connect':
        return client.connect();
      case 'heads':
        return client.deliver(server.heads());
      case 'reload':
        this.shown.forget();
        this.lookedUp.clear();
        await client.reload();
        client.messenger.timelines.open(conversationId);
        return;
      case 'older':
        timelines.loadOlder(conversationId).catch(() => {});
        return;
      case 'newer':
        timelines.loadNewer(conversationId).catch(() => {});
        return;
      case 'jump':
        this.jumping++;
        timelines
          .jumpTo(conversationId, some(step.much))
          .catch(() => {})
          .finally(() => this.jumping--);
        return;
      case 'latest':
        return this.jumpToLatest();
      case 'read':
        client.messenger.markRead(conversationId);
        return;
      case 'lookUp': {
        const messageId = some(step.much);
        timelines.message(conversationId, messageId).then(
          () => this.lookedUp.add(messageId),
          () => {},
        );
      }
    }
  }

  jumpToLatest(): void {
    this.jumping++;
    this.timelines.jumpToLatest(this.server.conversationId);
    this.jumping--;
  }

  private async send(): Promise<void> {
    const clientMsgId = `ada-${this.sent.length}`;
    this.sent.push(clientMsgId);
    const entry = { clientMsgId, conversationId: this.server.conversationId, content: `content of ${clientMsgId}` };
    const rest = { contentType: 'text' as const, mediaIds: [], replyToMessageId: null, failure: null };
    await this.client.messenger.outbox.add({ ...entry, ...rest, createdAtMs: this.clock.now() });
  }

  /** The network is well again, and half a minute goes by, in which the server says where it stands. */
  async recover(isReconnected: boolean): Promise<void> {
    this.client.faults = NO_FAULTS;
    if (isReconnected) this.client.cut();
    this.client.connect();
    for (let i = 0; i < 3; i++) {
      this.client.deliver(this.server.heads());
      await this.clock.advance(15_000);
    }
  }

  /** What is shown, as the server has it. */
  expectEqual(): void {
    if (this.violations.length > 0) throw this.violations[0];
    const { items, server } = this;
    const first = items[0]?.seq ?? 1;
    const face = ({
      messageId,
      seq,
      content,
      editedAt,
    }: Pick<TimelineItem, 'messageId' | 'seq' | 'content' | 'editedAt'>) => ({
      messageId,
      seq,
      content,
      editedAt,
    });
    const expected = server.messages.slice(first - 1, this.track?.detached ? first - 1 + items.length : undefined);
    expect(items.map(face)).toEqual(expected.map(face));
    expect(items.length).toBeGreaterThanOrEqual(Math.min(server.messages.length, 50));
    for (const messageId of this.lookedUp) {
      const kept = this.track?.find(messageId);
      if (kept) expect(kept.content).toBe(server.message(messageId).content);
    }
  }

  /** Everything of the others is acknowledged, and the conversation is what the server says it is. */
  expectSettled(): void {
    const { server, client, track } = this;
    const own = server.messages.filter(({ senderId }) => senderId === ADA);
    expect(own.map(({ clientMsgId }) => clientMsgId)).toEqual(this.sent);
    expect(client.messenger.outbox.entries).toEqual([]);
    const { name, lastRev, lastSeq, lastMessage, lastReadSeq } = server.conversation();
    expect(track?.conversation).toMatchObject({ name, lastRev, lastSeq, lastReadSeq });
    expect(track?.conversation.lastMessage?.preview).toBe(lastMessage?.preview);
    expect(track?.needsSync).toBe(false);
    if (server.messages.at(-1)?.senderId === BOB) expect(this.lastAcked).toBe(lastSeq);
    expect(client.faultsTold).toEqual([]);
  }
}

describe('over any network and in any order of events, a timeline', () => {
  it('equals the history of the server at the end, and has no hole, repeat or jump before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 40 }),
        faults,
        fc.integer(),
        fc.nat({ max: 400 }),
        fc.boolean(),
        fc.boolean(),
        async (script, network, seed, before, isBadFromTheStart, isReconnected) => {
          const trial = new Trial(seed, before);
          await trial.client.messenger.start();
          if (isBadFromTheStart) trial.client.faults = network;
          trial.client.connect();
          trial.client.messenger.timelines.open(trial.server.conversationId);
          await trial.clock.advance(100);
          trial.client.faults = network;
          for (const step of script) await trial.take(step);
          await trial.recover(isReconnected);

          trial.expectEqual();
          trial.jumpToLatest();
          trial.expectEqual();
          trial.expectSettled();
          expect(await trial.client.store.keys('outbox/')).toEqual([]);
          await trial.client.messenger.stop();
        },
      ),
      { numRuns: Number(process.env['SDK_PROPERTY_RUNS'] ?? 150) },
    );
  }, 300_000);

  it('costs no request beside those at the start where events only overtake each other by less than 200 ms', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 20 }),
        fc.integer(),
        fc.integer({ min: 0, max: GAP_WAIT_MS - 10 }),
        async (bursts, seed, delayMsMax) => {
          const trial = new Trial(seed, 60);
          await trial.client.messenger.start();
          trial.client.connect();
          trial.client.messenger.timelines.open(trial.server.conversationId);
          await trial.clock.advance(5_000);
          trial.client.asked.length = 0;
          trial.client.faults = { ...NO_FAULTS, delayMsMax, doubledEvent: 0.3 };
          for (const burst of bursts) {
            for (let i = 0; i < burst; i++) trial.post();
            trial.server.edit(1 + burst, `edited ${trial.server.rev}`);
            await trial.clock.advance(5_000);
            expect(trial.items.at(-1)?.content).toBe(trial.server.messages.at(-1)?.content);
          }
          expect(trial.client.asked.filter(({ name }) => name !== 'ack')).toEqual([]);
          // One for each burst: they are gathered.
          expect(trial.client.asked.length).toBeLessThanOrEqual(3 * bursts.length);
          trial.expectEqual();
          trial.expectSettled();
          await trial.client.messenger.stop();
        },
      ),
      { numRuns: Number(process.env['SDK_PROPERTY_RUNS'] ?? 150) / 5 },
    );
  }, 300_000);
});
