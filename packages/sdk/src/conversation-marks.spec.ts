import { beforeEach, describe, expect, it } from 'vitest';
import { ConversationTrack } from './conversation-track.js';
import { ModelServer } from './testing/model-server.js';
import type { Message } from './wire.js';

const ADA = '0190a6c4-0000-7000-8000-00000000000a';
const BOB = '0190a6c4-0000-7000-8000-00000000000b';

let server: ModelServer;
let track: ConversationTrack;
beforeEach(() => {
  server = new ModelServer([ADA, BOB]);
  for (let i = 1; i <= 10; i++) server.post(BOB, `message ${i}`, `bob-${i}`);
  track = new ConversationTrack(ADA, server.conversation());
});

const at = (seq: number): Message => server.messages[seq - 1] as Message;

describe('a mark', () => {
  const memberOf = (userId: string) => track.conversation.members.find((one) => one.userId === userId);

  it('moves forward only, and is news only then', () => {
    const [first, second] = [at(1).messageId, at(2).messageId];
    track = new ConversationTrack(ADA, {
      ...server.conversation(),
      members: server
        .conversation()
        .members.map((one) => ({ ...one, lastReadMessageId: null, lastDeliveredMessageId: null })),
    });
    expect(track.mark(BOB, 'lastDeliveredMessageId', second)).toBe(true);
    expect(track.mark(BOB, 'lastReadMessageId', first)).toBe(true);
    expect(memberOf(BOB)).toMatchObject({ lastReadMessageId: first, lastDeliveredMessageId: second });
    expect(track.mark(BOB, 'lastDeliveredMessageId', first)).toBe(false);
    expect(track.mark(BOB, 'lastReadMessageId', first)).toBe(false);
    expect(track.mark('nobody', 'lastReadMessageId', first)).toBe(false);
  });

  it('of reading says that it was received', () => {
    track = new ConversationTrack(ADA, {
      ...server.conversation(),
      members: server.conversation().members.map((one) => ({ ...one, lastDeliveredMessageId: null })),
    });
    expect(track.mark(ADA, 'lastReadMessageId', at(4).messageId)).toBe(true);
    expect(memberOf(ADA)?.lastDeliveredMessageId).toBe(at(4).messageId);
  });

  it('of one’s own moves forward only', () => {
    expect(track.markOwnRead(at(4).messageId, 4)).toBe(true);
    expect(track.conversation).toMatchObject({ lastReadSeq: 4, unreadCount: 6 });
    expect(track.markOwnRead(at(4).messageId, 4)).toBe(false);
    expect(track.markOwnRead(at(2).messageId, 2)).toBe(false);
    expect(track.conversation).toMatchObject({ lastReadSeq: 4, unreadCount: 6 });
  });
});
