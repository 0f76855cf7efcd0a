import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelClient, NO_FAULTS, seededRandom, type Faults } from './testing/faulty-network.js';
import { ModelServer } from './testing/model-server.js';
import { VirtualClock } from './testing/virtual-clock.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

type Step =
  | { readonly do: 'post' | 'send' | 'edit' | 'wait'; readonly much: number }
  | { readonly do: 'rename' | 'cut' | 'connect' | 'reload' | 'heads' | 'older' };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('post' as const), much: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('post' as const), much: fc.integer({ min: 90, max: 260 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('older' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('send' as const), much: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('edit' as const), much: fc.nat({ max: 1_000 }) }) },
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
      ),
    }),
  },
);
const chance = fc.double({ min: 0, max: 0.5, noNaN: true });
const faults: fc.Arbitrary<Faults> = fc.record({
  lostEvent: chance,
  doubledEvent: chance,
  lostRequest: fc.double({ min: 0, max: 0.2, noNaN: true }),
  lostAnswer: fc.double({ min: 0, max: 0.2, noNaN: true }),
  accepted: chance,
  delayMsMax: fc.integer({ min: 0, max: 2_500 }),
});

/** One run: a server, somebody who writes there, and a client behind a bad network. */
class Trial {
  readonly clock = new VirtualClock();
  readonly server = new ModelServer([ADA, BOB]);
  readonly client: ModelClient;
  readonly sent: string[] = [];
  private posted = 0;

  constructor(seed: number, before: number) {
    for (let i = 0; i < before; i++) this.post();
    this.client = new ModelClient(ADA, this.server, this.clock, seededRandom(seed));
    // As the real one: not to the socket that sent it, and everything else to everybody.
    this.server.onEvent = (event, by) => {
      if (event.name !== 'new_message' || by !== ADA) this.client.deliver(event);
    };
    this.client.onChange = () => this.expectWhole();
  }

  post(): void {
    this.posted++;
    this.server.post(BOB, `from bob ${this.posted}`, `bob-${this.posted}`);
  }

  get items() {
    return this.client.messenger.itemsOf(this.server.conversationId);
  }

  /** At no time a hole, a repeat or a jump. */
  private expectWhole(): void {
    const { items } = this;
    const seqs = items.flatMap(({ messageId, seq, status }) =>
      messageId !== null && status !== 'sent' ? [seq ?? 0] : [],
    );
    const own = items.flatMap(({ senderId, clientMsgId, seq }) =>
      senderId === ADA && seq !== null ? [clientMsgId] : [],
    );
    if (new Set(items.map(({ key }) => key)).size !== items.length) throw new Error('A message is shown twice');
    const ordered = [...seqs].sort((a, b) => a - b);
    if (seqs.some((seq, i) => seq !== ordered[i])) throw new Error(`Out of order: ${seqs.join()}`);
    if (new Set(own).size !== own.length) throw new Error('An own message is shown twice');
    const window = this.client.messenger.tracks.get(this.server.conversationId)?.window;
    window?.items.forEach(({ seq }, i) => {
      if (seq !== window.firstSeq + i) throw new Error(`A hole before ${seq}`);
    });
  }

  async take(step: Step): Promise<void> {
    const { client, server, clock } = this;
    switch (step.do) {
      case 'post':
        for (let i = 0; i < step.much; i++) this.post();
        return;
      case 'send':
        for (let i = 0; i < step.much; i++) await this.send();
        return;
      case 'edit':
        return server.edit(1 + (step.much % Math.max(1, server.messages.length)), `edited ${server.rev}`);
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
        await client.reload();
        client.messenger.timelines.open(server.conversationId);
        return;
      case 'older':
        client.messenger.timelines.loadOlder(server.conversationId).catch(() => {});
    }
  }

  private async send(): Promise<void> {
    const clientMsgId = `ada-${this.sent.length}`;
    this.sent.push(clientMsgId);
    const entry = { clientMsgId, conversationId: this.server.conversationId, content: `content of ${clientMsgId}` };
    const rest = { contentType: 'text' as const, mediaIds: [], replyToMessageId: null, failure: null };
    await this.client.messenger.outbox.add({ ...entry, ...rest, createdAtMs: this.clock.now() });
  }

  /** The network is well again, and half a minute goes by, in which the server says where it stands. */
  async recover(): Promise<void> {
    this.client.faults = NO_FAULTS;
    this.client.cut();
    this.client.connect();
    for (let i = 0; i < 3; i++) {
      this.client.deliver(this.server.heads());
      await this.clock.advance(15_000);
    }
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
        async (script, network, seed, before, isBadFromTheStart) => {
          const trial = new Trial(seed, before);
          await trial.client.messenger.start();
          if (isBadFromTheStart) trial.client.faults = network;
          trial.client.connect();
          trial.client.messenger.timelines.open(trial.server.conversationId);
          await trial.clock.advance(100);
          trial.client.faults = network;
          for (const step of script) await trial.take(step);
          await trial.recover();

          const { items, server, client } = trial;
          const shown = items.map(({ messageId, seq, content, editedAt }) => ({ messageId, seq, content, editedAt }));
          const first = items[0]?.seq ?? 1;
          const expected = server.messages
            .slice(first - 1)
            .map(({ messageId, seq, content, editedAt }) => ({ messageId, seq, content, editedAt }));
          expect(shown).toEqual(expected);
          expect(shown.length).toBeGreaterThanOrEqual(Math.min(server.messages.length, 50));
          const stored = server.messages
            .filter(({ senderId }) => senderId === ADA)
            .map(({ clientMsgId }) => clientMsgId);
          expect(stored).toEqual(trial.sent);
          expect(client.messenger.outbox.entries).toEqual([]);
          expect(await client.store.keys('outbox/')).toEqual([]);
          expect(client.messenger.tracks.get(server.conversationId)?.conversation.name).toBe(server.name);
          expect(client.faultsTold).toEqual([]);
          await client.messenger.stop();
        },
      ),
      { numRuns: Number(process.env['SDK_PROPERTY_RUNS'] ?? 150) },
    );
  }, 300_000);
});
