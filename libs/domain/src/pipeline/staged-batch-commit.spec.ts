import { describe, expect, it } from 'vitest';
import { DEDUPLICATION_MS } from '../conversation/conversation.rules.js';
import type { ConversationState } from '../conversation/conversation.state.js';
import type { MessageSent } from '../conversation/events/conversation-event.js';
import { CONVERSATION, group, send, user } from '../conversation/testing/given-conversation.js';
import { DataRefused, type DecidedBatch } from '../ports/batch-commit.port.js';
import type { CheckpointResult } from '../ports/checkpoint.port.js';
import type { SendKey, SendRow } from '../ports/message-store.port.js';
import { type CommitStages, StagedBatchCommit } from './staged-batch-commit.js';

/** A batch that sends one message, as its owner decides it. */
function sendingBatch(): { batch: DecidedBatch; row: SendRow } {
  const given = group('a', 'b');
  const sent = given.when(user('a'), send('c1')).events[0] as MessageSent;
  const { message, requestHash, at } = sent;
  const { messageId, seq, rev, senderId, clientMsgId } = message;
  const row = { conversationId: CONVERSATION, senderId, clientMsgId, messageId, seq, rev, at, requestHash };
  const clock = { ms: at, counter: 0 };
  const partition = { partition: 3, epoch: 1, nextOffset: 2, expectedOffset: 1, clock, lastRecordHash: null };
  const batch: DecidedBatch = {
    journal: [],
    messages: [{ message, send: row }],
    stream: [{ partition: 3, offset: 1, index: 0, conversationId: CONVERSATION, at, payload: JSON.stringify(sent) }],
    checkpoint: {
      partitions: [partition],
      conversations: [given.state as ConversationState],
      members: [],
      receipts: [],
      deadLetters: [],
    },
  };
  return { batch, row };
}

/** Stores that note what is asked of them, in order, and answer when they are told to. */
class NotingStages {
  readonly notes: string[] = [];
  known: SendRow[] = [];
  result: CheckpointResult = 'committed';
  failing: string | null = null;
  private readonly held = new Map<string, () => void>();

  constructor(private readonly holding: readonly string[] = []) {}

  let(what: string): void {
    this.held.get(what)?.();
  }

  commit(): StagedBatchCommit {
    const stages = {
      store: {
        findSends: async (keys: readonly SendKey[]) => {
          await this.note(`find ${keys.map((key) => key.clientMsgId).join()}`);
          return this.known;
        },
        append: () => this.note('messages'),
      },
      stream: { append: () => this.note('events') },
      checkpoint: { commit: () => this.note('checkpoint').then(() => this.result) },
    };
    return new StagedBatchCommit(stages as unknown as CommitStages);
  }

  private async note(what: string): Promise<void> {
    this.notes.push(what);
    if (this.holding.includes(what)) await new Promise<void>((resolve) => this.held.set(what, resolve));
    if (this.failing === what) throw new Error(`${what} failed`);
    this.notes.push(`${what} done`);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a staged batch commit', () => {
  it('looks for earlier sends, writes messages and events at once, and the checkpoint when both are in', async () => {
    const stages = new NotingStages(['messages']);
    const done = stages.commit().commit(sendingBatch().batch);
    await turn();
    expect(stages.notes).toEqual(['find c1', 'find c1 done', 'messages', 'events', 'events done']);
    stages.let('messages');
    expect(await done).toBe('committed');
    expect(stages.notes.slice(5)).toEqual(['messages done', 'checkpoint', 'checkpoint done']);
  });

  it.each([
    ['a smaller id', -1n, 'duplicate-sends'],
    ['its own id, left by a crashed run', 0n, 'committed'],
    ['a greater id, of a record that a replay has not reached', 1n, 'committed'],
  ] as const)('finding %s under a key, it ends with the right result', async (_, difference, result) => {
    const { batch, row } = sendingBatch();
    const stages = new NotingStages();
    stages.known = [{ ...row, messageId: String(BigInt(row.messageId) + difference) }];
    expect(await stages.commit().commit(batch)).toBe(result);
    const written = result === 'committed' ? ['messages', 'events', 'checkpoint'] : [];
    expect(stages.notes.filter((note) => ['messages', 'events', 'checkpoint'].includes(note))).toEqual(written);
  });

  it('takes a key again when the earlier send is older than 30 days by record time', async () => {
    const { batch, row } = sendingBatch();
    const earlier = { ...row, messageId: '5' };
    const stages = new NotingStages();
    stages.known = [{ ...earlier, at: row.at - DEDUPLICATION_MS + 1 }];
    expect(await stages.commit().commit(batch)).toBe('duplicate-sends');
    stages.known = [{ ...earlier, at: row.at - DEDUPLICATION_MS }];
    expect(await stages.commit().commit(batch)).toBe('committed');
  });

  it('says that it is fenced when the checkpoint is', async () => {
    const stages = new NotingStages();
    stages.result = 'fenced';
    expect(await stages.commit().commit(sendingBatch().batch)).toBe('fenced');
  });

  it.each(['messages', 'events'])('does not move the checkpoint when %s cannot be written', async (what) => {
    const stages = new NotingStages();
    stages.failing = what;
    await expect(stages.commit().commit(sendingBatch().batch)).rejects.toThrow(`${what} failed`);
    expect(stages.notes).not.toContain('checkpoint');
  });

  it('fails only when nothing of it is under way any more', async () => {
    const stages = new NotingStages(['messages']);
    stages.failing = 'events';
    let failed = false;
    const done = stages
      .commit()
      .commit(sendingBatch().batch)
      .catch(() => (failed = true));
    await turn();
    expect(failed).toBe(false);
    stages.let('messages');
    await done;
    expect(failed).toBe(true);
  });

  it('hands over as soon as it waits for the first store', async () => {
    const stages = new NotingStages(['find c1']);
    let handedOver = 0;
    const done = stages.commit().commit(sendingBatch().batch, () => handedOver++);
    expect(handedOver).toBe(1);
    stages.let('find c1');
    expect(await done).toBe('committed');
    expect(handedOver).toBe(1);
  });

  it('asks for no key when nothing is sent', async () => {
    const { batch } = sendingBatch();
    batch.messages[0]!.send = null;
    const stages = new NotingStages();
    await stages.commit().commit(batch);
    expect(stages.notes[0]).toBe('messages');
  });

  it('refuses records that would have to be journaled with it', async () => {
    const { batch } = sendingBatch();
    batch.journal.push({ partition: 3, offset: 1, at: 0, payload: '{}' });
    await expect(new NotingStages().commit().commit(batch)).rejects.toThrow('journals');
  });

  type Spoil = (batch: DecidedBatch) => void;
  const message = (batch: DecidedBatch) => batch.messages[0]!.message;
  const state = (batch: DecidedBatch) => batch.checkpoint.conversations[0]!;
  it.each<[string, Spoil]>([
    ['NUL in a content', (batch) => (message(batch).content = 'a\0b')],
    ['half a character in a content', (batch) => (message(batch).content = 'a\ud800')],
    ['NUL in a name of a file', (batch) => message(batch).media.push({ fileName: '\0' } as never)],
    ['half a character in a reaction', (batch) => message(batch).reactions.push({ emoji: '\udc00', userIds: [] })],
    ['a sender that is no UUID', (batch) => (message(batch).senderId = 'a')],
    ['NUL in a clientMsgId', (batch) => (message(batch).clientMsgId = 'a\0')],
    ['NUL in a name of a conversation', (batch) => (state(batch).name = '\0')],
    ['a creator that is no UUID', (batch) => (state(batch).createdBy = '')],
    ['a conversation that is no UUID', (batch) => (state(batch).conversationId = 'c')],
    [
      'a reader that is no UUID',
      (batch) => batch.checkpoint.receipts.push({ conversationId: CONVERSATION, at: 0, marks: [{ userId: 'x' }] }),
    ],
    [
      'a member that is no UUID',
      (batch) => {
        const member = { ...[...state(batch).members.values()][0]!, userId: 'm' };
        batch.checkpoint.members.push({ conversationId: CONVERSATION, member, removedAt: null });
      },
    ],
  ])('asks no store for anything when one of them would refuse %s', async (_, spoil) => {
    const { batch } = sendingBatch();
    spoil(batch);
    const stages = new NotingStages();
    await expect(stages.commit().commit(batch)).rejects.toBeInstanceOf(DataRefused);
    expect(stages.notes).toEqual([]);
  });
});
