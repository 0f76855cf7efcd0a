import type { ChangeMembersBody, ChangeSettingsBody, Conversation, Settings } from '@parley/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADA, BEN, by, CommandSide, CYD, DAN, NOBODY } from '../../testing/command-side.js';
import { ChangeSettings } from '../change-settings/change-settings.command.js';
import { ChangeSettingsHandler } from '../change-settings/change-settings.handler.js';
import { RenameConversation } from '../rename-conversation/rename-conversation.command.js';
import { RenameConversationHandler } from '../rename-conversation/rename-conversation.handler.js';
import { ChangeMembers } from './change-members.command.js';
import { ChangeMembersHandler } from './change-members.handler.js';

const MEMBERS_MAX = 3;

describe('changing a conversation', () => {
  let side: CommandSide;
  let group: string;
  beforeEach(async () => {
    side = new CommandSide({ limits: { groupMembersMax: MEMBERS_MAX } });
    group = await side.group(ADA, BEN);
  });
  afterEach(() => side.close());

  function change(userId: string, body: ChangeMembersBody, conversationId = group): Promise<Conversation> {
    const { journal, directory, reader, users, limits } = side;
    const handler = new ChangeMembersHandler(journal, directory, reader, users, limits);
    return handler.execute(new ChangeMembers(by(userId), conversationId, body));
  }
  function rename(userId: string, name: string): Promise<Conversation> {
    const handler = new RenameConversationHandler(side.journal, side.directory, side.reader);
    return handler.execute(new RenameConversation(by(userId), group, name));
  }
  function set(userId: string, body: ChangeSettingsBody): Promise<Settings> {
    const handler = new ChangeSettingsHandler(side.journal, side.directory, side.reader);
    return handler.execute(new ChangeSettings(by(userId), group, body));
  }
  const ids = ({ members }: Conversation): string[] => members.map(({ userId }) => userId);

  it('adds each user once and answers the conversation as it is then', async () => {
    const after = await change(ADA, { add: [CYD, CYD, BEN] });
    expect(ids(after)).toEqual([ADA, BEN, CYD]);
    expect(after).toMatchObject({ memberCount: 3, lastRev: 2 });
  });

  it('refuses unknown users without telling which, and strangers before anything else', async () => {
    const add = [CYD, NOBODY];
    await expect(change(ADA, { add })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'add', code: 'unknown_user', message: 'Not all of these users exist' }],
    });
    await expect(change(DAN, { add })).rejects.toMatchObject({ code: 'not_found' });
    expect(side.decidedTypes()).toEqual(['create-conversation']);
  });

  it('bounds the members', async () => {
    await expect(change(ADA, { add: [CYD, DAN] })).rejects.toMatchObject({ code: 'members_limit' });
    const more = ['1', '2', '3', '4'].map((last) => `00000000-0000-4000-8000-00000000000${last}`);
    await expect(change(ADA, { add: more })).rejects.toMatchObject({ code: 'members_limit' });
    expect(await change(ADA, { add: [CYD, DAN], remove: [BEN] })).toMatchObject({ memberCount: 3 });
  });

  it('lets anyone leave, and answers what they last saw, without themself', async () => {
    await change(ADA, { add: [CYD] });
    const left = await change(BEN, { remove: [BEN, BEN] });
    expect(ids(left)).toEqual([ADA, CYD]);
    expect(left).toMatchObject({ conversationId: group, memberCount: 2, lastRev: 3 });
    await expect(change(BEN, { remove: [BEN] })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('hands on what the decision refuses', async () => {
    await expect(change(BEN, { add: [CYD] })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(change(ADA, { remove: [ADA] })).rejects.toMatchObject({ code: 'last_admin' });
  });

  it('never changes the members of a direct conversation', async () => {
    const direct = await side.direct(ADA, BEN);
    for (const body of [{ add: [CYD] }, { remove: [ADA] }, { roles: { [BEN]: 'admin' as const } }]) {
      await expect(change(ADA, body, direct)).rejects.toMatchObject({ code: 'conflict' });
    }
  });

  it('renames for admins, and is not found by strangers', async () => {
    expect(await rename(ADA, 'New name')).toMatchObject({ name: 'New name', lastRev: 2 });
    await expect(rename(BEN, 'Mine')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(rename(DAN, 'Mine')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('keeps settings for each member by itself, and what is not named as it was', async () => {
    const mutedUntil = '2030-01-01T01:00:00+01:00';
    expect(await set(BEN, { mutedUntil })).toEqual({
      mutedUntil: '2030-01-01T00:00:00.000Z',
      pinned: false,
      archived: false,
    });
    expect(await set(BEN, { pinned: true, mutedUntil: null })).toMatchObject({ mutedUntil: null, pinned: true });
    expect(await set(BEN, { archived: true })).toMatchObject({ pinned: true, archived: true });
    expect(await set(ADA, {})).toEqual({ mutedUntil: null, pinned: false, archived: false });
    await expect(set(DAN, { pinned: true })).rejects.toMatchObject({ code: 'not_found' });
  });
});
