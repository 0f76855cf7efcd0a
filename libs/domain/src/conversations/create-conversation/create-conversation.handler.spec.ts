import { afterEach, describe, expect, it } from 'vitest';
import type { CreateConversationBody } from '@parley/contracts';
import { ADA, BEN, by, CommandSide, CYD, NOBODY } from '../../testing/command-side.js';
import type { Blocks } from '../../users/blocks.port.js';
import { CreateConversation } from './create-conversation.command.js';
import { CreateConversationHandler } from './create-conversation.handler.js';

const REQUEST = '2f1c9a52-8f0e-4c8e-9d3e-6f2b1c0a7d11';
const unknownUser = { code: 'validation_failed', errors: [{ path: 'memberIds', code: 'unknown_user' }] };

describe('creating a conversation', () => {
  let side: CommandSide;
  afterEach(() => side.close());

  function create(userId: string, body: CreateConversationBody): ReturnType<CreateConversationHandler['execute']> {
    const { journal, reader, users, limits } = side;
    const handler = new CreateConversationHandler(journal, reader, users, side.blocks as unknown as Blocks, limits);
    return handler.execute(new CreateConversation(by(userId), body));
  }

  it('makes one direct conversation of a pair, also when both ask at once', async () => {
    side = new CommandSide();
    const both = await Promise.all([
      create(ADA, { type: 'direct', memberIds: [BEN] }),
      create(BEN, { type: 'direct', memberIds: [ADA] }),
    ]);
    const ids = new Set(both.map(({ conversation }) => conversation.conversationId));
    expect(ids.size).toBe(1);
    expect(both.map(({ created }) => created).toSorted((a, b) => Number(a) - Number(b))).toEqual([false, true]);
    const again = await create(ADA, { type: 'direct', memberIds: [BEN, BEN] });
    expect(again).toMatchObject({ created: false, conversation: { conversationId: [...ids][0], memberCount: 2 } });
    expect((await create(ADA, { type: 'direct', memberIds: [CYD] })).created).toBe(true);
  });

  it('refuses a direct conversation with oneself and with an unknown user', async () => {
    side = new CommandSide();
    const oneself = create(ADA, { type: 'direct', memberIds: [ADA] });
    await expect(oneself).rejects.toMatchObject({ code: 'validation_failed', errors: [{ path: 'memberIds' }] });
    await expect(create(ADA, { type: 'direct', memberIds: [NOBODY] })).rejects.toMatchObject(unknownUser);
    expect(side.owner.decided).toEqual([]);
  });

  it('refuses a new direct conversation with a blocker, and answers one that exists', async () => {
    side = new CommandSide();
    await create(ADA, { type: 'direct', memberIds: [BEN] });
    side.blocks.set(BEN, ADA, true);
    side.blocks.set(CYD, ADA, true);
    expect(await create(ADA, { type: 'direct', memberIds: [BEN] })).toMatchObject({ created: false });
    await expect(create(ADA, { type: 'direct', memberIds: [CYD] })).rejects.toMatchObject({ code: 'blocked' });
    expect(await create(CYD, { type: 'direct', memberIds: [ADA] })).toMatchObject({ created: true });
  });

  it('makes a group of its creator, as admin, and of everybody named, each once', async () => {
    side = new CommandSide();
    const memberIds = [BEN, ADA, CYD, BEN];
    const { conversation, created } = await create(ADA, { type: 'group', memberIds, name: 'Engine room' });
    expect(created).toBe(true);
    expect(conversation).toMatchObject({ type: 'group', name: 'Engine room', role: 'admin', memberCount: 3 });
    expect(conversation.members.map(({ userId }) => userId)).toEqual([ADA, BEN, CYD]);
  });

  it('makes a new group each time, but one for a repeated request', async () => {
    side = new CommandSide();
    const body: CreateConversationBody = { type: 'group', memberIds: [BEN] };
    const [one, two] = [await create(ADA, body), await create(ADA, body)];
    expect(one.conversation.conversationId).not.toBe(two.conversation.conversationId);
    const requested = { ...body, clientRequestId: REQUEST };
    const answers = await Promise.all([create(ADA, requested), create(ADA, requested)]);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(answers[0]?.conversation).toEqual(answers[1]?.conversation);
    expect((await create(BEN, { ...requested, memberIds: [ADA] })).created).toBe(true);
  });

  it('does not find a repeated request of somebody who has left since', async () => {
    side = new CommandSide();
    const body: CreateConversationBody = { type: 'group', memberIds: [BEN], clientRequestId: REQUEST };
    const { conversation } = await create(ADA, body);
    const { conversationId } = conversation;
    const roles = { [BEN]: 'admin' } as const;
    await side.command(ADA, conversationId, { type: 'change-members', add: [], remove: [], roles, membersMax: 9 });
    await side.changeMembers(ADA, conversationId, [], [ADA]);
    await expect(create(ADA, body)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('bounds the members of a group, and refuses unknown ones without telling which', async () => {
    side = new CommandSide({ limits: { groupMembersMax: 2 } });
    const tooMany = create(ADA, { type: 'group', memberIds: [BEN, CYD] });
    await expect(tooMany).rejects.toMatchObject({ code: 'members_limit' });
    const unknown = create(ADA, { type: 'group', memberIds: [NOBODY] });
    await expect(unknown).rejects.toMatchObject(unknownUser);
    await expect(unknown).rejects.not.toMatchObject({ message: expect.stringContaining(NOBODY) as string });
    expect(await create(ADA, { type: 'group', memberIds: [BEN, ADA] })).toMatchObject({ created: true });
  });
});
