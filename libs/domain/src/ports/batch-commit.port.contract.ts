import type { Message } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConversationState } from '../conversation/conversation.state.js';
import type { MessageSent } from '../conversation/events/conversation-event.js';
import { DEDUPLICATION_MS } from '../conversation/conversation.rules.js';
import { group, send, user } from '../conversation/testing/given-conversation.js';
import { type BatchCommit, DataRefused, type DecidedBatch } from './batch-commit.port.js';
import type { Checkpoint } from './checkpoint.port.js';
import type { EventStream } from './event-stream.port.js';
import type { MessageStore } from './message-store.port.js';
import type { PartitionLeases, PartitionProgress } from './partition-leases.port.js';

export interface BatchCommitUnderTest {
  commit: BatchCommit;
  store: MessageStore;
  stream: EventStream;
  checkpoint: Checkpoint;
  leases: PartitionLeases;
  /** False for a commit that is given no records to journal: its log keeps them before they are decided. */
  journals?: boolean;
  close?: () => Promise<void>;
}

const EVERYTHING = { fromSeq: 1, toSeq: Number.MAX_SAFE_INTEGER };
let made = 0;

interface Sent {
  batch: DecidedBatch;
  message: Message;
  state: ConversationState;
}

/** A batch of one record that sends the only message of a conversation of its own (or of the one given). */
function sendingBatch(progress: PartitionProgress, conversationId = nextId(), clientMsgId = 'c1', at?: number): Sent {
  const given = group('a', 'b');
  const sent = given.when(user('a'), send(clientMsgId), at).events[0] as MessageSent;
  const message = {
    ...sent.message,
    conversationId,
    messageId: String(BigInt(sent.message.messageId) + BigInt(++made)),
  };
  const state = { ...(given.state as ConversationState), conversationId };
  const { messageId, seq, rev, senderId } = message;
  const { partition, nextOffset: offset } = progress;
  const row = {
    conversationId,
    senderId,
    clientMsgId,
    messageId,
    seq,
    rev,
    at: sent.at,
    requestHash: sent.requestHash,
  };
  const payload = JSON.stringify({ ...sent, message });
  const batch: DecidedBatch = {
    journal: [{ partition, offset, at: sent.at, payload: '{}' }],
    messages: [{ message, send: row }],
    stream: [{ partition, offset, index: 0, conversationId, at: sent.at, payload }],
    checkpoint: {
      partitions: [{ ...progress, expectedOffset: offset, nextOffset: offset + 1 }],
      conversations: [state],
      members: [...state.members.values()].map((member) => ({ conversationId, member, removedAt: null })),
      receipts: [],
      deadLetters: [],
    },
  };
  return { batch, message, state };
}

const nextId = (): string => `00000000-0000-4000-8003-${String(++made).padStart(12, '0')}`;

/** What every commit of a batch keeps to. Each test uses partitions of its own. */
export function batchCommitContract(name: string, make: () => Promise<BatchCommitUnderTest>): void {
  describe(`batch commit: ${name}`, () => {
    let opened: BatchCommitUnderTest;
    beforeAll(async () => {
      opened = await make();
    });
    afterAll(async () => opened.close?.());
    const batchOf = (...given: Parameters<typeof sendingBatch>): Sent => {
      const sent = sendingBatch(...given);
      if (opened.journals === false) sent.batch.journal = [];
      return sent;
    };
    const claim = async (partition: number): Promise<PartitionProgress> =>
      (await opened.leases.claim('contract', [partition], true))[0] as PartitionProgress;
    const stored = (conversationId: string): Promise<readonly Message[]> =>
      opened.store.read({ conversationId, range: EVERYTHING, order: 'oldest-first', limit: 10, bytesMax: 1_000_000 });

    it('makes message, key, events, state and progress visible together', async () => {
      const progress = await claim(0);
      const { batch, message, state } = batchOf(progress);
      expect(await opened.commit.commit(batch)).toBe('committed');
      expect(await stored(message.conversationId)).toEqual([message]);
      expect(await opened.store.findSends([{ ...message }])).toEqual([batch.messages[0]?.send]);
      expect(await opened.stream.read(0, null, 10)).toEqual(batch.stream);
      const { states } = await opened.checkpoint.load([message.conversationId], []);
      expect(states.get(message.conversationId)).toEqual(state);
      expect((await opened.checkpoint.progress([0]))[0]?.nextOffset).toBe(progress.nextOffset + 1);
    });

    it('lets nothing of a fenced batch be seen', async () => {
      const former = await claim(1);
      await claim(1);
      const { batch, message } = batchOf(former);
      expect(await opened.commit.commit(batch)).toBe('fenced');
      expect(
        (await opened.checkpoint.load([message.conversationId], [])).states.get(message.conversationId),
      ).toBeNull();
    });

    it('says so when a clientMsgId is taken, and moves nothing', async () => {
      const progress = await claim(2);
      const first = batchOf(progress);
      await opened.commit.commit(first.batch);
      const next = { ...progress, nextOffset: progress.nextOffset + 1 };
      const second = batchOf(next, first.message.conversationId);
      second.message.seq = 2;
      expect(await opened.commit.commit(second.batch)).toBe('duplicate-sends');
      expect((await opened.checkpoint.progress([2]))[0]?.nextOffset).toBe(next.nextOffset);
      expect((await stored(first.message.conversationId)).map((message) => message.messageId)).toEqual([
        first.message.messageId,
      ]);
    });

    it('takes a clientMsgId again whose time has run out', async () => {
      const progress = await claim(3);
      const first = batchOf(progress);
      await opened.commit.commit(first.batch);
      const next = { ...progress, nextOffset: progress.nextOffset + 1 };
      const later = batchOf(next, first.message.conversationId, 'c1', DEDUPLICATION_MS + 10);
      later.message.seq = 2;
      expect(await opened.commit.commit(later.batch)).toBe('committed');
      expect(await opened.store.findSends([{ ...later.message }])).toMatchObject([
        { messageId: later.message.messageId },
      ]);
    });

    it('tells data that can never be stored from trouble that may pass', async () => {
      const progress = await claim(4);
      const { batch, message } = batchOf(progress);
      message.content = 'NUL \0 is not text';
      await expect(opened.commit.commit(batch)).rejects.toBeInstanceOf(DataRefused);
      expect((await opened.checkpoint.progress([4]))[0]?.nextOffset).toBe(progress.nextOffset);
    });
  });
}
