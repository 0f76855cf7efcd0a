import { beforeEach, describe, expect, it } from 'vitest';
import { ConversationTrack, type RevisionEvent } from './conversation-track.js';
import { ModelServer } from './testing/model-server.js';
import { TimelineWindow } from './timeline-window.js';
import type { Conversation, Message, SyncedConversation } from './wire.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

let server: ModelServer;
let track: ConversationTrack;
/** Ten messages, which are revisions 2 to 11. */
beforeEach(() => {
  server = new ModelServer([ADA, BOB]);
  for (let i = 1; i <= 10; i++) post();
  track = new ConversationTrack(ADA, server.conversation());
});

let posted = 0;
const post = (): Message => {
  server.post(BOB, `message ${posted}`, `bob-${posted++}`);
  return server.messages.at(-1) as Message;
};
const at = (seq: number): Message => server.messages[seq - 1] as Message;
const edited = (seq: number): Message => server.edit(seq, `edited ${server.rev}`) as Message;
const sent = (message: Message): RevisionEvent => ({ kind: 'message', rev: message.rev, message });
const change = (message: Message): RevisionEvent => ({ kind: 'change', rev: message.rev, message });
const named = (rev: number, name: string): RevisionEvent => ({ kind: 'name', rev, name });
const seqs = () => track.shown?.items.map(({ seq }) => seq);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
/** Newest first, as the server gives it. */
const page = (from: number, to: number) => ({
  items: server.messages.slice(from - 1, to).reverse(),
  hasBefore: from > 1,
  hasAfter: to < server.messages.length,
});
const open = (from = 1, to = server.messages.length): void => {
  track.beginOpening();
  track.openWith(page(from, to));
};
/** What a sync tells after a cursor. */
const synced = (change: Partial<SyncedConversation> = {}): SyncedConversation => {
  const conversation = server.conversation();
  const next = { afterSeq: conversation.lastSeq, afterRev: conversation.lastRev };
  return { conversation, messages: [], changes: [], next, hasMore: false, reset: false, ...change };
};

describe('a revision', () => {
  it('that is known already is not waited for', () => {
    open();
    expect(track.receive(sent(at(10)))).toBe('known');
    expect(track.needsSync).toBe(false);
  });

  it('that comes early waits, and is applied when the one before it has come', () => {
    open();
    const first = post();
    const second = post();
    expect(track.receive(sent(second))).toBe('ahead');
    expect(track.needsSync).toBe(true);
    expect(seqs()).toEqual(range(1, 10));
    expect(track.receive(sent(first))).toBe('applied');
    expect(seqs()).toEqual(range(1, 12));
    expect(track.needsSync).toBe(false);
  });

  it('that comes while a sync is under way waits for its end', () => {
    open();
    track.catchingUp = true;
    const first = post();
    expect(track.receive(sent(first))).toBe('ahead');
    expect(seqs()).toEqual(range(1, 10));
    const second = post();
    track.receive(sent(second));
    track.takeSnapshot({ ...synced(), conversation: { ...server.conversation(), lastRev: first.rev } }, false);
    track.takeSnapshot(synced({ messages: [first], next: { afterSeq: first.seq, afterRev: first.rev } }), true);
    expect(seqs()).toEqual(range(1, 11));
    track.endCatchUp();
    expect(seqs()).toEqual(range(1, 12));
    expect(track.needsSync).toBe(false);
  });

  it('whose message would leave a hole is not applied, and is asked for', () => {
    open(1, 9);
    track.takeSnapshot(synced({ messages: [at(10)] }), true);
    post();
    const { rev } = track;
    expect(track.receive({ ...sent(post()), rev: rev + 1 })).toBe('ahead');
    expect(track.rev).toBe(rev);
    expect(track.needsSync).toBe(true);
    expect(seqs()).toEqual(range(1, 10));
  });

  it('from before a snapshot changes the timeline and not what the conversation is called now', () => {
    const old = track.rev;
    server.rename('first');
    server.rename('second');
    const { conversation } = synced();
    track = new ConversationTrack(ADA, conversation);
    track.restore(new TimelineWindow(server.messages, false, 0), old);
    expect(track.receive(named(old + 1, 'first'))).toBe('applied');
    expect(track.conversation).toEqual(conversation);
    expect(track.receive(named(old + 2, 'second'))).toBe('applied');
    expect(track.needsSync).toBe(false);
  });

  it('too many of which wait are let go, and fetched', () => {
    open();
    const { rev } = track;
    for (let i = 0; i < 1_001; i++) track.receive(named(rev + 2 + i, `name ${i}`));
    expect(track.receive(named(rev + 1, 'name'))).toBe('applied');
    expect(track.rev).toBe(rev + 1);
    expect(track.needsSync).toBe(true);
  });

  it('of the last message changes its preview, and of another one does not', () => {
    open();
    track.receive(change(edited(10)));
    expect(track.conversation.lastMessage?.preview).toBe(at(10).content);
    track.receive(change(edited(9)));
    expect(track.conversation.lastMessage?.preview).toBe(at(10).content);
  });
});

describe('a sync', () => {
  it('is asked for what follows what is shown, which may be less than what the list shows', () => {
    open();
    post();
    const change = edited(3);
    track.takeSnapshot({ conversation: server.conversation() }, false);
    expect(track.cursor).toEqual({ conversationId: server.conversationId, afterSeq: 10, afterRev: 11 });
    expect(track.needsSync).toBe(true);
    track.takeSnapshot(synced({ messages: [at(11)], changes: [change] }), true);
    expect(seqs()).toEqual(range(1, 11));
    expect(track.find(change.messageId)?.content).toBe(change.content);
    expect(track.needsSync).toBe(false);
    expect(track.cursor).toMatchObject({ afterSeq: 11, afterRev: server.rev });
  });

  it('of several pages goes on where the last one ended, and counts as done only at the end', () => {
    open();
    const changes = [edited(1), edited(2)];
    const { rev } = track;
    const [first, second] = changes as [Message, Message];
    const next = { afterSeq: 10, afterRev: first.rev };
    track.takeSnapshot(synced({ changes: [first], next, hasMore: true }), true);
    expect(track.cursor.afterRev).toBe(first.rev);
    expect(track.rev).toBe(rev);
    expect(track.needsSync).toBe(true);
    track.takeSnapshot(synced({ changes: [second] }), true);
    expect(track.rev).toBe(second.rev);
    expect(track.needsSync).toBe(false);
  });

  it('whose messages do not follow what is shown is asked again', () => {
    open();
    for (let i = 0; i < 3; i++) post();
    const { rev } = track;
    track.takeSnapshot(synced({ messages: [at(12), at(13)] }), true);
    expect(seqs()).toEqual(range(1, 10));
    expect(track.rev).toBe(rev);
    expect(track.needsSync).toBe(true);
  });

  it('that has nothing to tell ends the waiting', () => {
    open(1, 9);
    expect(track.needsSync).toBe(true);
    track.nothingFollows();
    expect(track.needsSync).toBe(false);
  });
});

describe('what a snapshot says while nothing of the conversation is shown', () => {
  it('is all there is to know', () => {
    post();
    track.heardOf(server.rev);
    expect(track.needsSync).toBe(true);
    expect(track.cursor.afterSeq).toBe(10);
    track.takeSnapshot(synced(), false);
    expect(track.rev).toBe(server.rev);
    expect(track.needsSync).toBe(false);
  });

  it('lets what waited for it be applied', () => {
    const { rev } = track;
    expect(track.receive(named(rev + 2, 'after'))).toBe('ahead');
    track.takeSnapshot({ conversation: { ...server.conversation(), lastRev: rev + 1 } }, false);
    expect(track.rev).toBe(rev + 2);
    expect(track.conversation.name).toBe('after');
    expect(track.needsSync).toBe(false);
  });

  it('makes a message that was looked up old, unless nothing has changed', () => {
    track.beginLoad();
    track.keepLookedUp(at(3));
    track.takeSnapshot(synced(), false);
    expect(track.find(at(3).messageId)).toEqual(at(3));
    edited(3);
    track.takeSnapshot(synced(), false);
    expect(track.find(at(3).messageId)).toBeUndefined();
  });

  it('does not run ahead of a first page that is under way', () => {
    track.beginOpening();
    const first = page(1, 10);
    track.heardOf(post().rev);
    expect(track.needsSync).toBe(false);
    track.takeSnapshot(synced(), false);
    track.openWith(first);
    expect(track.needsSync).toBe(true);
    expect(track.cursor).toMatchObject({ afterSeq: 10, afterRev: 11 });
  });
});

describe('a first page', () => {
  it('is continued by what came while it was under way', () => {
    track.beginOpening();
    const first = page(1, 10);
    track.receive(sent(post()));
    track.receive(change(edited(10)));
    track.openWith(first);
    expect(seqs()).toEqual(range(1, 11));
    expect(track.find(at(10).messageId)?.content).toBe(at(10).content);
    expect(track.needsSync).toBe(false);
  });

  it('that is older than what was known before it is caught up with', () => {
    track.receive(sent(post()));
    track.beginOpening();
    track.openWith(page(1, 10));
    expect(track.needsSync).toBe(true);
    expect(track.cursor.afterSeq).toBe(10);
  });

  it('that leaves a hole before what came meanwhile is caught up with', () => {
    track.beginOpening();
    const first = page(1, 9);
    post();
    track.receive(sent(at(11)));
    track.openWith({ ...first, items: first.items.slice(1) });
    expect(seqs()).toEqual(range(1, 8));
    expect(track.needsSync).toBe(true);
  });

  it('that never comes leaves nothing to wait for', () => {
    track.beginOpening();
    track.heardOf(track.rev + 1);
    track.endOpening();
    expect(track.needsSync).toBe(true);
  });
});

describe('a page that comes late', () => {
  it('shows what changed since it was read, before and after what is shown and by itself', () => {
    open(8, 10);
    track.beginLoad();
    const older = page(5, 7);
    track.receive(change(edited(6)));
    track.extendBefore(older);
    expect(seqs()).toEqual(range(5, 10));
    expect(track.find(at(6).messageId)).toEqual(at(6));

    track.beginLoad();
    const single = at(2);
    track.receive(change(edited(2)));
    track.keepLookedUp(single);
    expect(track.find(single.messageId)).toEqual(at(2));

    track.beginLoad();
    const around = page(1, 3);
    track.receive(change(edited(1)));
    track.showAround(around);
    expect(seqs()).toEqual(range(1, 3));
    expect(track.find(at(1).messageId)).toEqual(at(1));
    track.receive(change(edited(3)));
    expect(track.detached?.items.at(-1)).toEqual(at(3));
  });

  it('may itself be newer than what was told', () => {
    open(8, 10);
    track.beginLoad();
    const told = edited(2);
    const newest = edited(2);
    track.receive(change(told));
    track.keepLookedUp(newest);
    expect(track.find(newest.messageId)).toEqual(newest);
  });

  it('changes nothing of what was told before it was asked for', () => {
    open(8, 10);
    track.beginLoad();
    const single = at(2);
    track.receive(change(edited(2)));
    track.endLoad();
    track.beginLoad();
    track.keepLookedUp(single);
    // It was read later than that: the server has taken the change back.
    expect(track.find(single.messageId)).toEqual(single);
  });
});

describe('a message that was looked up', () => {
  it('is kept up to date', () => {
    open(8, 10);
    track.beginLoad();
    track.keepLookedUp(at(2));
    track.receive(change(edited(2)));
    expect(track.find(at(2).messageId)).toEqual(at(2));
    expect(track.seqOf(at(2).messageId)).toBe(2);
  });

  it('that is one of more than 500 goes, the oldest first', () => {
    for (let i = 0; i < 600; i++) post();
    for (let seq = 1; seq <= 501; seq++) {
      track.beginLoad();
      track.keepLookedUp(at(seq));
    }
    expect(track.find(at(1).messageId)).toBeUndefined();
    expect(track.find(at(2).messageId)?.seq).toBe(2);
  });
});

describe('a part that was jumped to', () => {
  const showAround = (from: number, to: number): void => {
    track.beginLoad();
    track.showAround(page(from, to));
  };

  it('becomes one with the live end when nothing is missing between them', () => {
    open(6, 10);
    showAround(2, 5);
    expect(track.detached).toBeNull();
    expect(seqs()).toEqual(range(2, 10));
  });

  it('stays by itself when one message is missing between them', () => {
    open(6, 10);
    showAround(2, 4);
    expect(track.detached).not.toBeNull();
    expect(seqs()).toEqual(range(2, 4));
    track.beginLoad();
    track.extendAfter({ items: [at(5)], hasBefore: true, hasAfter: true });
    expect(seqs()).toEqual(range(2, 10));
  });

  it('brings newer versions of what both have', () => {
    open(6, 10);
    const newer = edited(7);
    showAround(3, 8);
    expect(track.find(newer.messageId)).toEqual(newer);
    expect(seqs()).toEqual(range(3, 10));
  });
});

describe('what was kept of an earlier run', () => {
  it('counts as known up to where it was kept, and never further than the list', () => {
    const window = () => new TimelineWindow(server.messages.slice(0, 5), false, 0);
    track.restore(window(), 6);
    expect(track.rev).toBe(6);
    expect(track.needsSync).toBe(true);
    expect(track.cursor).toMatchObject({ afterSeq: 5, afterRev: 6 });
    track = new ConversationTrack(ADA, server.conversation());
    track.restore(window(), 99);
    expect(track.rev).toBe(11);
  });
});

describe('a timeline that cannot go on', () => {
  it('keeps nothing of what it was', () => {
    open();
    track.beginLoad();
    track.keepLookedUp(at(1));
    track.receive(named(track.rev + 5, 'ahead'));
    track.heardOf(99);
    const before: Conversation = { ...server.conversation(), lastRev: 5, lastSeq: 4, name: 'before' };
    expect(track.takeSnapshot({ ...synced(), conversation: before, reset: true }, true)).toBe('reset');
    expect(track.conversation).toEqual(before);
    expect(track.shown).toBeNull();
    expect(track.find(at(1).messageId)).toBeUndefined();
    expect(track.rev).toBe(5);
    expect(track.needsSync).toBe(false);
  });

  it('begins anew where the user came back', () => {
    open();
    track.takeSnapshot({ conversation: { ...server.conversation(), visibleFromSeq: 1 } }, false);
    const back = { ...server.conversation(), visibleFromSeq: 9 };
    expect(track.takeSnapshot({ conversation: back }, false)).toBe('rejoined');
    expect(track.shown).toBeNull();
  });

  it('begins anew when more than 5,000 messages are missing, and not before', () => {
    open();
    const far = (lastSeq: number): Conversation => ({ ...server.conversation(), lastSeq, lastRev: lastSeq });
    expect(track.takeSnapshot({ conversation: far(5_010) }, false)).toBeNull();
    expect(track.takeSnapshot({ conversation: far(5_011) }, false)).toBe('too_far_behind');
  });
});
