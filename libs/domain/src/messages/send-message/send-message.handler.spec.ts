import type { SendMessagePayload } from '@parley/contracts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemoryRateLimiter } from '../../../../infra/src/memory/memory-rate-limiter.js';
import { DEDUPLICATION_MS } from '../../conversation/conversation.rules.js';
import type { DomainLimits } from '../../limits/domain-limits.js';
import { ADA, BEN, by, CommandSide, CYD, NOBODY } from '../../testing/command-side.js';
import { requestHashOf } from './request-hash.js';

/** Long enough for an owner that decides in memory. */
const SHORT_MS = 100;
const MEDIUM = '2f1c9a52-8f0e-4c8e-9d3e-6f2b1c0a7d11';

describe('sending a message', () => {
  let side: CommandSide;
  afterEach(() => side.close());

  it('answers where and when it is stored', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const payload = side.payload(group, { content: 'Hello' });
    const answer = await side.send(by(BEN), payload);
    const [message] = [...(side.owner.messages.get(group)?.values() ?? [])];
    expect(answer).toEqual({
      status: 'stored',
      messageId: message?.messageId,
      seq: 1,
      rev: 2,
      timestamp: message?.timestamp,
      clientMsgId: payload.clientMsgId,
      duplicate: false,
    });
    expect(message).toMatchObject({ senderId: BEN, content: 'Hello', conversationId: group });
  });

  it('refuses a stranger exactly as if the conversation did not exist', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const errors = [group, NOBODY].map((id) => side.send(by(CYD), side.payload(id)).catch((error: unknown) => error));
    const [foreign, missing] = await Promise.all(errors);
    expect(foreign).toMatchObject({ code: 'not_found' });
    expect(foreign).toEqual(missing);
    expect(side.decidedTypes()).toEqual(['create-conversation']);
  });

  it('refuses a removed member', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    await side.message(BEN, group);
    await side.changeMembers(ADA, group, [], [BEN]);
    await expect(side.message(BEN, group)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('refuses a blocked person in a direct conversation, and not in a group', async () => {
    side = new CommandSide();
    const [direct, group] = [await side.direct(ADA, BEN), await side.group(ADA, BEN)];
    side.blocks.set(BEN, ADA, true);
    await expect(side.message(ADA, direct)).rejects.toMatchObject({ code: 'blocked' });
    expect(await side.message(BEN, direct)).toMatchObject({ seq: 1 });
    expect(await side.message(ADA, group)).toMatchObject({ seq: 1 });
  });

  it('answers a reply only to a message of this conversation that its sender may see', async () => {
    side = new CommandSide();
    const [group, other] = [await side.group(ADA, BEN), await side.group(ADA, BEN)];
    const early = await side.message(ADA, group);
    const elsewhere = await side.message(ADA, other);
    await side.changeMembers(ADA, group, [CYD], []);
    const notFound = { code: 'not_found' };
    for (const replyToMessageId of [elsewhere.messageId, '1']) {
      await expect(side.message(ADA, group, { replyToMessageId })).rejects.toMatchObject(notFound);
    }
    const replyToMessageId = early.messageId;
    await expect(side.message(CYD, group, { replyToMessageId })).rejects.toMatchObject(notFound);
    const reply = await side.message(BEN, group, { replyToMessageId });
    expect(side.owner.messages.get(group)?.get(reply.messageId)).toMatchObject({ replyToMessageId });
  });

  it('refuses media, of which there are none yet, as not found', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    await expect(side.message(ADA, group, { mediaIds: [MEDIUM] })).rejects.toMatchObject({ code: 'not_found' });
    expect(await side.message(ADA, group, { mediaIds: [] })).toMatchObject({ seq: 1 });
  });

  it('gives a repeated clientMsgId the first answer, and refuses it for another text', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const payload = side.payload(group);
    const first = await side.send(by(ADA), payload);
    expect(await side.send(by(ADA), payload)).toEqual({ ...first, duplicate: true });
    const reused = side.send(by(ADA), { ...payload, content: 'Another text' });
    await expect(reused).rejects.toMatchObject({ code: 'client_msg_id_reused' });
    expect(await side.send(by(BEN), payload)).toMatchObject({ seq: 2, duplicate: false });
  });

  it('gives a repeated clientMsgId the first answer also to a sender who has been blocked since', async () => {
    side = new CommandSide();
    const direct = await side.direct(ADA, BEN);
    const payload = side.payload(direct);
    const first = await side.send(by(ADA), payload);
    side.blocks.set(BEN, ADA, true);
    expect(await side.send(by(ADA), payload)).toEqual({ ...first, duplicate: true });
    const reused = side.send(by(ADA), { ...payload, content: 'Another text' });
    await expect(reused).rejects.toMatchObject({ code: 'client_msg_id_reused' });
    await expect(side.message(ADA, direct)).rejects.toMatchObject({ code: 'blocked' });
    expect(side.contents(direct)).toHaveLength(1);
  });

  it('says no more than accepted, or the first answer, to the sender of an accepted message who has been blocked since', async () => {
    side = new CommandSide({ durableAt: 'append', limits: { sendWaitMs: SHORT_MS } });
    const direct = await side.direct(ADA, BEN);
    const payload = side.payload(direct);
    await side.owner.stop();
    expect(await side.send(by(ADA), payload)).toMatchObject({ status: 'accepted' });
    side.blocks.set(BEN, ADA, true);
    expect(await side.send(by(ADA), payload)).toMatchObject({ status: 'accepted' });
    const late = side.send(by(ADA), side.payload(direct));
    expect(await late).toMatchObject({ status: 'accepted' });
    side.owner.start();
    expect(await side.send(by(ADA), payload)).toMatchObject({ status: 'stored', seq: 1, duplicate: true });
    const settled = (): unknown[] => side.live.flatMap((event) => (event.type === 'send-settled' ? event.outcome : []));
    await vi.waitFor(() => expect(settled()).toHaveLength(3));
    expect(settled()).toMatchObject([
      { status: 'stored', seq: 1 },
      { status: 'stored', seq: 1 },
      { status: 'rejected', code: 'blocked' },
    ]);
    expect(side.contents(direct)).toHaveLength(1);
  });

  it('gives a repeated reply the first answer also where its sender left, came back and sees no more what it answers', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const { messageId: replyToMessageId } = await side.message(ADA, group);
    const payload = side.payload(group, { replyToMessageId });
    const first = await side.send(by(BEN), payload);
    await side.changeMembers(ADA, group, [], [BEN]);
    await expect(side.send(by(BEN), payload)).rejects.toMatchObject({ code: 'not_found' });
    await side.changeMembers(ADA, group, [BEN], []);
    expect(await side.send(by(BEN), payload)).toEqual({ ...first, duplicate: true });
    const reused = side.send(by(BEN), { ...payload, content: 'Another text' });
    await expect(reused).rejects.toMatchObject({ code: 'client_msg_id_reused' });
    await expect(side.message(BEN, group, { replyToMessageId })).rejects.toMatchObject({ code: 'not_found' });
    expect(side.contents(group)).toHaveLength(2);
  });

  it('looks an earlier send up only where a refusal is due', async () => {
    side = new CommandSide();
    const direct = await side.direct(ADA, BEN);
    const lookUp = vi.spyOn(side.lookups, 'findSends');
    const { messageId: replyToMessageId } = await side.message(BEN, direct);
    const payload = side.payload(direct, { replyToMessageId });
    for (let i = 0; i < 2; i += 1) await side.send(by(ADA), payload);
    expect(lookUp).not.toHaveBeenCalled();
    await expect(side.message(ADA, direct, { replyToMessageId: '1' })).rejects.toMatchObject({ code: 'not_found' });
    expect(lookUp).toHaveBeenCalledOnce();
  });

  it('stores one of 50 equal sends that come at once, and answers them alike', async () => {
    side = new CommandSide();
    const group = await side.group(ADA, BEN);
    const payload = side.payload(group);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => side.send(by(ADA, i % 2 ? 'socket' : null), payload)),
    );
    const alike = new Set(answers.map((answer) => JSON.stringify({ ...answer, duplicate: null })));
    expect(alike.size).toBe(1);
    expect(side.contents(group)).toHaveLength(1);
  });
});

describe('the rate limits of sends', () => {
  let side: CommandSide;
  let now = 0;
  afterEach(() => side.close());

  const limits = (changed: Partial<DomainLimits>): Partial<DomainLimits> => ({
    sendsPerUserInConversation: { limit: 3, windowMs: 10_000 },
    sendsPerUser: { limit: 5, windowMs: 60_000 },
    sendsPerConversation: { limit: 6, windowMs: 1_000 },
    ...changed,
  });
  function given(changed: Partial<DomainLimits> = {}): void {
    side = new CommandSide({ limits: limits(changed), limiter: new MemoryRateLimiter(() => now) });
  }
  const send = (userId: string, group: string): Promise<unknown> => side.message(userId, group);
  const refused = { code: 'rate_limited', retryAfterMs: expect.any(Number) as number };

  it('bound a user in a conversation', async () => {
    given();
    const [group, other] = [await side.group(ADA, BEN), await side.group(ADA, BEN)];
    for (let i = 0; i < 3; i += 1) await send(ADA, group);
    await expect(send(ADA, group)).rejects.toMatchObject(refused);
    await send(ADA, other);
    await send(BEN, group);
    now += 10_001;
    await send(ADA, group);
  });

  it('bound a user over all conversations', async () => {
    given();
    const groups = [await side.group(ADA, BEN), await side.group(ADA, BEN), await side.group(ADA, BEN)];
    for (let i = 0; i < 5; i += 1) await send(ADA, groups[i % 3] as string);
    await expect(send(ADA, groups[2] as string)).rejects.toMatchObject(refused);
    await send(BEN, groups[2] as string);
  });

  it('bound a conversation over all users', async () => {
    given();
    const group = await side.group(ADA, BEN, CYD);
    for (let i = 0; i < 6; i += 1) await send([ADA, BEN, CYD][i % 3] as string, group);
    await expect(send(ADA, group)).rejects.toMatchObject(refused);
    await send(ADA, await side.group(ADA, BEN));
    now += 1_001;
    await send(BEN, group);
  });

  it('do not count a send in one limit that another one refused', async () => {
    given({ sendsPerConversation: { limit: 1, windowMs: 1_000 } });
    const group = await side.group(ADA, BEN);
    await send(BEN, group);
    for (let i = 0; i < 10; i += 1) await expect(send(ADA, group)).rejects.toMatchObject(refused);
    now += 1_001;
    await send(ADA, group);
  });

  it('answer a repeated send that was stored with its result', async () => {
    given();
    const group = await side.group(ADA, BEN);
    const payload = side.payload(group);
    const first = await side.send(by(ADA), payload);
    for (let i = 0; i < 2; i += 1) await send(ADA, group);
    await expect(send(ADA, group)).rejects.toMatchObject(refused);
    expect(await side.send(by(ADA), payload)).toEqual({ ...first, duplicate: true });
    const reused = side.send(by(ADA), { ...payload, content: 'Another text' });
    await expect(reused).rejects.toMatchObject({ code: 'client_msg_id_reused' });
    expect(side.contents(group)).toHaveLength(3);
  });

  it('do not find a send that is older than repeated ones are recognised', async () => {
    given({ sendsPerUserInConversation: { limit: 1, windowMs: 10_000 } });
    const group = await side.group(ADA, BEN);
    const payload = side.payload(group);
    await side.send(by(ADA), payload);
    for (const prior of side.owner.sends.values()) prior.at -= DEDUPLICATION_MS;
    await expect(side.send(by(ADA), payload)).rejects.toMatchObject(refused);
  });

  it('count a repeated send that was let through as none', async () => {
    given();
    const group = await side.group(ADA, BEN);
    const payload = side.payload(group);
    await side.send(by(ADA), payload);
    for (let i = 0; i < 10; i += 1) await side.send(by(ADA), payload);
    for (let i = 0; i < 2; i += 1) await send(ADA, group);
    await expect(send(ADA, group)).rejects.toMatchObject(refused);
  });

  it('count no send that failed by a fault of the server', async () => {
    given({ sendWaitMs: SHORT_MS });
    const group = await side.group(ADA, BEN);
    await side.owner.stop();
    const payload = side.payload(group);
    const failed = await Promise.all(
      Array.from({ length: 3 }, () => side.send(by(ADA), payload).catch((error: unknown) => error)),
    );
    expect(failed).toMatchObject(failed.map(() => ({ code: 'store_unavailable' })));
    side.owner.start();
    for (let i = 0; i < 3; i += 1) await send(ADA, group);
    await expect(send(ADA, group)).rejects.toMatchObject(refused);
  });

  it('count an accepted send once, however often it is repeated before it is stored', async () => {
    side = new CommandSide({
      durableAt: 'append',
      limits: limits({ sendWaitMs: SHORT_MS }),
      limiter: new MemoryRateLimiter(() => now),
    });
    const group = await side.group(ADA, BEN);
    await side.directory.load(group);
    await side.owner.stop();
    const payload = side.payload(group);
    for (let i = 0; i < 4; i += 1) expect(await side.send(by(ADA), payload)).toMatchObject({ status: 'accepted' });
    side.owner.start();
    for (let i = 0; i < 2; i += 1) await send(ADA, group);
    await expect(send(ADA, group)).rejects.toMatchObject(refused);
    expect(side.contents(group)).toHaveLength(3);
  });

  it('let 50 equal sends that come at once find the first one, which is not stored yet', async () => {
    given();
    const group = await side.group(ADA, BEN);
    await side.directory.load(group);
    const payload: SendMessagePayload = side.payload(group);
    const answers = await Promise.all(Array.from({ length: 50 }, () => side.send(by(ADA, 'socket'), payload)));
    expect(answers.every((answer) => answer.status === 'stored' && answer.seq === 1)).toBe(true);
    expect(side.contents(group)).toHaveLength(1);
  });
});

describe('the hash of a request', () => {
  const request = { conversationId: NOBODY, content: 'Text', contentType: 'text', clientMsgId: 'a' } as const;

  it('is the same for fields that were left out and for their defaults', () => {
    const explicit = { ...request, clientMsgId: 'b', mediaIds: [], replyToMessageId: null };
    expect(requestHashOf(explicit)).toBe(requestHashOf(request));
  });

  it('differs with the content, its type, the media and the message replied to', () => {
    const others: SendMessagePayload[] = [
      { ...request, content: 'Text ' },
      { ...request, contentType: 'encrypted' },
      { ...request, mediaIds: [MEDIUM] },
      { ...request, replyToMessageId: '12' },
    ];
    expect(new Set([request, ...others].map(requestHashOf)).size).toBe(5);
    expect(requestHashOf(request)).toMatch(/^[\w-]{22}$/);
  });
});
