import type { Message } from '@parley/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryRateLimiter } from '../../../infra/src/memory/memory-rate-limiter.js';
import { EMOJIS_PER_MESSAGE_MAX, REACTIONS_PER_MESSAGE_MAX } from '../limits/domain-limits.js';
import { ADA, BEN, by, CommandSide, type CommandSideOptions, CYD, DAN } from '../testing/command-side.js';
import { DeleteMessage } from './delete-message/delete-message.command.js';
import { DeleteMessageHandler } from './delete-message/delete-message.handler.js';
import { EditMessage } from './edit-message/edit-message.command.js';
import { EditMessageHandler } from './edit-message/edit-message.handler.js';
import { ReactToMessage } from './react-to-message/react-to-message.command.js';
import { ReactToMessageHandler } from './react-to-message/react-to-message.handler.js';

const notFound = { code: 'not_found' };

describe('changing a message', () => {
  let side: CommandSide;
  let group: string;
  let messageId: string;

  /** Ada's group, with a message of Ben's. */
  async function given(options: CommandSideOptions = {}): Promise<void> {
    side = new CommandSide(options);
    group = await side.group(ADA, BEN, CYD);
    ({ messageId } = await side.message(BEN, group, { content: 'Original' }));
  }
  beforeEach(() => given());
  afterEach(() => side.close());

  function edit(userId: string, content: string, at = messageId, conversationId = group): Promise<Message> {
    const handler = new EditMessageHandler(side.journal, side.changes);
    return handler.execute(new EditMessage(by(userId), { conversationId, messageId: at, content }));
  }
  function remove(userId: string, at = messageId, conversationId = group): Promise<Message> {
    const handler = new DeleteMessageHandler(side.journal, side.changes, side.directory);
    return handler.execute(new DeleteMessage(by(userId), { conversationId, messageId: at }));
  }
  function react(
    userId: string,
    emoji = '👍',
    present = true,
    at = messageId,
    conversationId = group,
  ): Promise<Message> {
    const handler = new ReactToMessageHandler(side.journal, side.changes);
    return handler.execute(new ReactToMessage(by(userId), { conversationId, messageId: at, emoji }, present));
  }
  const changes = (): number => side.owner.decided.length;

  it('answers an edit with the message as it is stored', async () => {
    expect(await edit(BEN, 'Changed')).toMatchObject({
      messageId,
      content: 'Changed',
      rev: 3,
      editedAt: expect.any(String) as string,
    });
  });

  it('shows what media there are in lists while no text is left, whatever a policy then makes of it', async () => {
    const { mediaId } = side.media.of(BEN);
    const sent = await side.message(BEN, group, { content: 'A caption', mediaIds: [mediaId] });
    const preview = (): string | undefined => side.owner.states.get(group)?.lastMessage?.preview;
    await edit(BEN, '', sent.messageId);
    expect(preview()).toBe('Photo');
    const facts = { messageId: sent.messageId, seq: sent.seq, authorId: BEN };
    const stamped = { type: 'edit-message', message: facts, content: 'Stamped', mediaPreview: 'Photo' } as const;
    await side.command(BEN, group, stamped);
    expect(preview()).toBe('Stamped');
    await expect(edit(BEN, '')).rejects.toMatchObject({ errors: [{ path: 'content', code: 'empty' }] });
  });

  it('lets only its author edit a message, not even an admin', async () => {
    for (const userId of [ADA, CYD]) {
      await expect(edit(userId, 'Mine')).rejects.toMatchObject({ code: 'forbidden' });
    }
    expect(side.contents(group)).toEqual(['Original']);
  });

  it('lets its author and the admins of the group delete a message', async () => {
    await expect(remove(CYD)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await remove(ADA)).toMatchObject({ content: '', deletedAt: expect.any(String) as string, seq: 1 });
    const { messageId: own } = await side.message(CYD, group);
    expect(await remove(CYD, own)).toMatchObject({ content: '', seq: 2 });
  });

  it('lets somebody delete who has just become an admin', async () => {
    await side.directory.load(group);
    const roles = { [CYD]: 'admin' } as const;
    await side.command(ADA, group, { type: 'change-members', add: [], remove: [], roles, membersMax: 9 });
    expect(await remove(CYD)).toMatchObject({ content: '' });
  });

  it('lets nobody but its author delete a message of a direct conversation', async () => {
    const direct = await side.direct(ADA, BEN);
    const sent = await side.message(BEN, direct);
    await expect(remove(ADA, sent.messageId, direct)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await remove(BEN, sent.messageId, direct)).toMatchObject({ content: '' });
  });

  it('refuses edits and reactions of a deleted message, and gives it as it is when it is deleted again', async () => {
    const deleted = await remove(BEN);
    const before = changes();
    await expect(edit(BEN, 'Back')).rejects.toMatchObject({ code: 'conflict' });
    await expect(react(ADA)).rejects.toMatchObject({ code: 'conflict' });
    expect(await remove(BEN)).toEqual(deleted);
    expect(await remove(ADA)).toEqual(deleted);
    await expect(remove(CYD)).rejects.toMatchObject({ code: 'forbidden' });
    expect(changes()).toBe(before);
  });

  it('refuses an edit that a deletion overtook after it was looked up', async () => {
    const gate = Promise.withResolvers<void>();
    side.policies.add({
      name: 'slow edits',
      appliesTo: ['edit-message'],
      review: () => gate.promise.then(() => 'pass' as const),
    });
    const editing = edit(BEN, 'Too late').catch((error: unknown) => error);
    await remove(ADA);
    gate.resolve();
    expect(await editing).toMatchObject({ code: 'conflict' });
    expect(side.contents(group)).toEqual(['']);
  });

  it('does not find messages of other conversations, of strangers, or from before one came', async () => {
    const other = await side.group(ADA, BEN);
    await side.changeMembers(ADA, group, [DAN], []);
    const before = changes();
    const strangers = [edit, (userId: string) => remove(userId), (userId: string) => react(userId)];
    for (const change of strangers) await expect(change(DAN, 'x')).rejects.toMatchObject(notFound);
    await expect(edit(BEN, 'x', messageId, other)).rejects.toMatchObject(notFound);
    await expect(remove(BEN, messageId, other)).rejects.toMatchObject(notFound);
    await expect(react(BEN, '👍', true, messageId, other)).rejects.toMatchObject(notFound);
    await expect(edit(CYD, 'x', messageId, other)).rejects.toMatchObject(notFound);
    await expect(react(CYD, '👍', true, '1')).rejects.toMatchObject(notFound);
    expect(changes()).toBe(before);
  });

  it('adds and takes back reactions, and needs no command for one that is already so', async () => {
    expect(await react(ADA)).toMatchObject({ reactions: [{ emoji: '👍', userIds: [ADA] }] });
    const both = await react(CYD);
    expect(both.reactions).toEqual([{ emoji: '👍', userIds: [ADA, CYD] }]);
    const before = changes();
    expect(await react(ADA)).toEqual(both);
    expect(await react(BEN, '👍', false)).toEqual(both);
    expect(changes()).toBe(before);
    expect(await react(ADA, '👍', false)).toMatchObject({ reactions: [{ emoji: '👍', userIds: [CYD] }] });
  });

  it('bounds the different emojis of a message, not who joins in one of them', async () => {
    for (let i = 0; i < EMOJIS_PER_MESSAGE_MAX; i += 1) await react(ADA, `e${i}`);
    await expect(react(ADA, 'one more')).rejects.toMatchObject({ code: 'conflict' });
    expect((await react(CYD, 'e0')).reactions).toHaveLength(EMOJIS_PER_MESSAGE_MAX);
  });

  it('bounds the reactions of a message', async () => {
    const message = side.owner.messages.get(group)?.get(messageId) as Message;
    const userIds = Array.from({ length: REACTIONS_PER_MESSAGE_MAX }, (_, i) => `user ${i}`);
    side.owner.messages.get(group)?.set(messageId, { ...message, reactions: [{ emoji: '👍', userIds }] });
    await expect(react(ADA)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('counts changes by themselves: a user may make as many in a minute as it may send', async () => {
    await side.close();
    const sendsPerUser = { limit: 3, windowMs: 60_000 };
    await given({ limiter: new MemoryRateLimiter(), limits: { sendsPerUser } });
    for (const emoji of ['a', 'b', 'c']) await react(ADA, emoji);
    const refused = { code: 'rate_limited', retryAfterMs: expect.any(Number) as number };
    await expect(react(ADA, 'd')).rejects.toMatchObject(refused);
    await expect(remove(ADA)).rejects.toMatchObject(refused);
    expect(await side.message(ADA, group)).toMatchObject({ seq: 2 });
    expect(await edit(BEN, 'Changed')).toMatchObject({ content: 'Changed' });
  });
});
