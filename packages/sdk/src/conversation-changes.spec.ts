import { describe, expect, it } from 'vitest';
import { newerOf, previewOf, withMembers, withMessage } from './conversation-changes.js';
import { ModelServer } from './testing/model-server.js';
import type { Conversation, Media, Member, Message } from './wire.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';
const CAT = '0190a6c4-0000-7000-8000-00000000000c';

const server = new ModelServer([ADA, BOB]);
for (const content of ['one', 'two', 'three']) server.post(BOB, content, content);
const [one, two, three] = server.messages as [Message, Message, Message];
const known = server.conversation();
const medium = (mimeType: string): Media => ({
  mediaId: CAT,
  url: '/m',
  thumbnailUrl: null,
  mimeType,
  sizeBytes: 1,
  width: null,
  height: null,
  fileName: 'report.pdf',
});
const memberOf = ({ members }: Conversation, userId: string): Member =>
  members.find((member) => member.userId === userId) as Member;

describe('a message of one’s own', () => {
  it('moves the read mark to it, and none back that has told of a later one already', () => {
    const own = { ...two, senderId: ADA };
    const before = withMessage({ ...known, lastReadSeq: 0, lastReadMessageId: null }, own, ADA);
    expect(before).toMatchObject({ lastReadSeq: 2, lastReadMessageId: two.messageId });
    const ahead = {
      ...known,
      lastReadSeq: 3,
      lastReadMessageId: three.messageId,
      members: known.members.map((member) => ({
        ...member,
        lastReadMessageId: three.messageId,
        lastDeliveredMessageId: three.messageId,
      })),
    };
    const after = withMessage(ahead, own, ADA);
    expect(after).toMatchObject({ lastReadSeq: 3, lastReadMessageId: three.messageId, unreadCount: 0 });
    expect(memberOf(after, ADA)).toMatchObject({
      lastReadMessageId: three.messageId,
      lastDeliveredMessageId: three.messageId,
    });
  });
});

describe('the preview of a message', () => {
  const preview = (changes: Partial<Message>) => previewOf({ ...one, ...changes });

  it('is the beginning of its text, without cutting a character in two', () => {
    expect(preview({ content: 'short' })).toBe('short');
    expect(preview({ content: '👍'.repeat(150) })).toBe('👍'.repeat(100));
    expect(preview({ content: 'x'.repeat(101) })).toBe('x'.repeat(100));
  });

  it('is nothing of what was deleted or is for clients only', () => {
    expect(preview({ content: 'gone', deletedAt: one.timestamp })).toBe('');
    expect(preview({ content: 'c2VjcmV0', contentType: 'encrypted' })).toBe('');
  });

  it('names what it carries where there is no text', () => {
    const of = (...types: string[]) => preview({ content: '', media: types.map(medium) });
    expect(of('image/png')).toBe('Photo');
    expect(of('video/mp4', 'video/webm')).toBe('2 videos');
    expect(of('audio/ogg')).toBe('Audio');
    expect(of('image/png', 'application/pdf')).toBe('2 files');
    expect(of('application/pdf')).toBe('report.pdf');
    expect(preview({ content: 'text', media: [medium('image/png')] })).toBe('text');
  });
});

describe('a snapshot', () => {
  it('that is older than what is known gives nothing but the settings', () => {
    const settings = { mutedUntil: null, pinned: true, archived: false };
    const older = { ...known, lastRev: known.lastRev - 1, name: 'older', settings };
    expect(newerOf(known, older)).toEqual({ ...known, settings });
  });

  it('moves no mark back, of nobody', () => {
    const ahead = { lastReadMessageId: two.messageId, lastDeliveredMessageId: three.messageId };
    const behind = { lastReadMessageId: one.messageId, lastDeliveredMessageId: one.messageId };
    const withMarks = (marks: Partial<Member>): Conversation => ({
      ...known,
      members: known.members.map((member) => ({ ...member, ...marks })),
    });
    expect(memberOf(newerOf(withMarks(ahead), withMarks(behind)), BOB)).toMatchObject(ahead);
    expect(memberOf(newerOf(withMarks(behind), withMarks(ahead)), BOB)).toMatchObject(ahead);
    const read = { ...known, lastReadMessageId: two.messageId, lastReadSeq: 2, unreadCount: 1 };
    expect(newerOf(read, known)).toMatchObject({ lastReadMessageId: two.messageId, lastReadSeq: 2, unreadCount: 1 });
    expect(newerOf(known, read)).toMatchObject({ lastReadMessageId: two.messageId, lastReadSeq: 2, unreadCount: 1 });
  });

  it('takes the marks of a member who has left and come back as they are told', () => {
    const joined = (joinedAt: string, mark: string): Conversation => {
      const marks = { lastReadMessageId: mark, lastDeliveredMessageId: mark };
      return { ...known, members: known.members.map((member) => ({ ...member, ...marks, joinedAt })) };
    };
    const next = newerOf(joined('2026-11-22T10:00:00.000Z', '9'), joined('2026-11-22T11:00:00.000Z', '3'));
    expect(memberOf(next, BOB)).toMatchObject({ lastReadMessageId: '3', lastDeliveredMessageId: '3' });
  });
});

describe('members that come, go or get a role', () => {
  const cat: Member = { ...memberOf(known, BOB), userId: CAT, displayName: 'Cat', role: 'member' };
  const changed = (change: { added?: Member[]; removed?: string[]; roles?: Record<string, 'admin' | 'member'> }) =>
    withMembers(
      known,
      { conversationId: known.conversationId, rev: 9, added: [], removed: [], roles: {}, ...change },
      ADA,
    );

  it('are counted and listed, each once', () => {
    const three = changed({ added: [cat] });
    expect(three.members.map(({ userId }) => userId)).toEqual([ADA, BOB, CAT]);
    expect(three.memberCount).toBe(3);
    const one = changed({ removed: [BOB] });
    expect(one.members.map(({ userId }) => userId)).toEqual([ADA]);
    expect(one.memberCount).toBe(1);
    const again = changed({ added: [{ ...cat, userId: BOB }] });
    expect(again.members.map(({ displayName }) => displayName)).toEqual([ADA, 'Cat']);
  });

  it('beyond those that the server lists are only counted', () => {
    const many = Array.from({ length: 25 }, (_, i): Member => ({ ...cat, userId: `user ${i}` }));
    const crowd = changed({ added: many });
    expect(crowd.members).toHaveLength(20);
    expect(crowd.memberCount).toBe(27);
  });

  it('have their role, the user too', () => {
    const changedRoles = changed({ roles: { [ADA]: 'member', [BOB]: 'member' } });
    expect(changedRoles.role).toBe('member');
    expect(changedRoles.members.map(({ role }) => role)).toEqual(['member', 'member']);
    expect(changed({ roles: { [BOB]: 'member' } }).role).toBe('admin');
  });
});

describe('a message', () => {
  it('of somebody else is unread, and says how far its sender has read', () => {
    const next = { ...three, seq: 4, messageId: '2000', rev: 5 };
    const after = withMessage(known, next, ADA);
    expect(after).toMatchObject({ lastSeq: 4, unreadCount: 4, lastReadSeq: 0 });
    expect(memberOf(after, BOB)).toMatchObject({ lastReadMessageId: '2000', lastDeliveredMessageId: '2000' });
    expect(memberOf(after, ADA)).toEqual(memberOf(known, ADA));
  });

  it('of one’s own is read, with all before it', () => {
    const after = withMessage(known, { ...three, seq: 4, messageId: '2000', rev: 5, senderId: ADA }, ADA);
    expect(after).toMatchObject({ lastSeq: 4, unreadCount: 0, lastReadSeq: 4, lastReadMessageId: '2000' });
  });
});
