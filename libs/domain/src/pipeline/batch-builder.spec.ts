import { describe, expect, it } from 'vitest';
import { evolve } from '../conversation/conversation.evolve.js';
import { CONVERSATION, group, recordOf, send, START_MS, user } from '../conversation/testing/given-conversation.js';
import type { PriorSend } from '../conversation/conversation.state.js';
import { snowflake } from '../conversation/snowflake.js';
import { BatchBuilder, sendKey } from './batch-builder.js';
import { CachedConversation } from './conversation-cache.js';

const PARTITION = 3;
const AT = START_MS + 1_000;
/** What the record's message would be called. */
const CANDIDATE = BigInt(snowflake(PARTITION, { ms: AT, counter: 0 }));

/** Decides one send of `a`, having found `prior` under its key in the store. */
function sendAfter(prior: PriorSend): BatchBuilder {
  const given = group('a', 'b');
  const state = given.events.reduce(evolve, null);
  const progress = {
    partition: PARTITION,
    epoch: 1,
    nextOffset: 7,
    clock: { ms: 0, counter: 0 },
    lastRecordHash: null,
  };
  const builder = new BatchBuilder({
    progress: new Map([[PARTITION, progress]]),
    conversations: new Map([[CONVERSATION, new CachedConversation(state)]]),
    messages: new Map(),
    priors: new Map([[sendKey(CONVERSATION, user('a'), 'c1'), prior]]),
    poison: new Map(),
    journaled: false,
  });
  const record = recordOf(user('a'), send('c1'));
  builder.add({ partition: PARTITION, offset: 7, at: AT, payload: JSON.stringify(record), record });
  builder.finish();
  return builder;
}

const priorOf = (messageId: bigint): PriorSend => ({
  messageId: messageId.toString(),
  seq: 1,
  rev: 2,
  at: AT - 1,
  requestHash: 'hash of Hello',
});

describe('a batch builder that finds an earlier send in the store', () => {
  it('answers with it when its id is smaller', () => {
    const builder = sendAfter(priorOf(CANDIDATE - 1n));
    expect(builder.outcomes).toMatchObject([{ kind: 'sent', duplicate: true, messageId: String(CANDIDATE - 1n) }]);
    expect(builder.batch.messages).toEqual([]);
  });

  it.each([
    ['its own, written before a crash', CANDIDATE],
    ['of a later record, which this replay has not reached', CANDIDATE + 1n],
  ])('ignores a row that is %s', (_, messageId) => {
    const builder = sendAfter(priorOf(messageId));
    expect(builder.outcomes).toMatchObject([{ kind: 'sent', duplicate: false, messageId: String(CANDIDATE), seq: 1 }]);
    expect(builder.batch.messages).toHaveLength(1);
  });
});
