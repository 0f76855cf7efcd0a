import type { Message } from '@parley/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { previewOf } from '../conversation/preview.js';
import type { ConversationEvent } from '../conversation/events/conversation-event.js';
import { MediaUses } from '../pipeline/media-uses.js';
import { ADA, BEN, CommandSide } from '../testing/command-side.js';
import { linkedMessage, linkedMessages, mediaFacts } from './linked-media.js';
import { picture, PlainLinks } from './testing/given-media.js';

const links = new PlainLinks();

describe('a message with media', () => {
  let side: CommandSide;
  beforeEach(() => {
    side = new CommandSide();
  });
  afterEach(() => side.close());

  it('carries facts that never change, in the order of the send, each once', async () => {
    const group = await side.group(ADA, BEN);
    const [first, second] = [side.media.of(ADA), side.media.of(ADA, { renditions: 'none', mimeType: 'text/plain' })];
    const mediaIds = [second.mediaId, first.mediaId, second.mediaId];
    const { messageId } = await side.message(ADA, group, { content: '', mediaIds });
    const stored = side.owner.messages.get(group)?.get(messageId);
    expect(stored?.media).toEqual([mediaFacts(second), mediaFacts(first)]);
    expect(stored?.media[0]).toMatchObject({ url: `/v1/media/${second.mediaId}`, thumbnailUrl: null });
  });

  it('is known as a repetition also when its media are gone, and other ids are not', async () => {
    const group = await side.group(ADA, BEN);
    const { mediaId } = side.media.of(ADA);
    const request = { content: '', clientMsgId: 'again', mediaIds: [mediaId] };
    const first = await side.message(ADA, group, request);
    side.media.all.length = 0;
    expect(await side.message(ADA, group, request)).toMatchObject({ messageId: first.messageId, duplicate: true });
    const other = side.message(ADA, group, { ...request, clientMsgId: 'another' });
    await expect(other).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('links to the media of a message', () => {
  const message = (media: Message['media']): Message => ({ messageId: '1', content: '', media }) as unknown as Message;

  it('are each viewer’s own', () => {
    const medium = picture(ADA, { width: 4_000, height: 3_000 });
    const linked = linkedMessage(message([mediaFacts(medium)]), BEN, links).media[0];
    const { mediaId } = medium;
    expect(linked).toMatchObject({
      url: `/${mediaId}/original?for=${BEN}`,
      thumbnailUrl: `/${mediaId}/thumbnail?for=${BEN}`,
      screenUrl: `/${mediaId}/screen?for=${BEN}`,
    });
  });

  it('cost nothing where there are no media: the message and the list stay the same objects', () => {
    const messages = [message([]), message([])];
    expect(linkedMessages(messages, BEN, links)).toBe(messages);
    expect(linkedMessage(messages[0] as Message, BEN, links)).toBe(messages[0]);
  });
});

describe('the preview of a message without a text', () => {
  const of = (...mimeTypes: string[]): string =>
    previewOf(
      '',
      'text',
      mimeTypes.map((mimeType) => mediaFacts(picture(ADA, { mimeType, fileName: 'notes.pdf' }))),
    );

  it.each([
    [['image/png'], 'Photo'],
    [['video/mp4'], 'Video'],
    [['application/pdf'], 'notes.pdf'],
    [['image/png', 'image/gif'], '2 photos'],
    [['image/png', 'application/pdf', 'audio/mpeg'], '3 files'],
  ])('of %j is %j', (mimeTypes, preview) => {
    expect(of(...mimeTypes)).toBe(preview);
  });

  it('is the text where there is one, and nothing where only clients can read it', () => {
    const media = [mediaFacts(picture(ADA))];
    expect([previewOf('Look', 'text', media), previewOf('', 'encrypted', media)]).toEqual(['Look', '']);
  });
});

describe('the uses of media in a batch', () => {
  const medium = mediaFacts(picture(ADA));
  const sent = { conversationId: 'c', messageId: '7', seq: 1, media: [medium, medium] } as unknown as Message;
  const sending = { type: 'message-sent', at: 10, message: sent } as unknown as ConversationEvent;
  const deleting = { type: 'message-deleted', at: 20, messageId: '7' } as unknown as ConversationEvent;
  const use = { conversationId: 'c', messageId: '7', seq: 1, mediaId: medium.mediaId };

  it('are one for each medium, and end with the deletion, in the same batch or in a later one', () => {
    const [one, both, later] = [new MediaUses(), new MediaUses(), new MediaUses()];
    one.follow(sending, new Map());
    expect(one.all()).toEqual([{ ...use, removedAt: null }]);
    for (const event of [sending, deleting]) both.follow(event, new Map());
    expect(both.all()).toEqual([{ ...use, removedAt: 20 }]);
    later.follow(deleting, new Map([['7', sent]]));
    expect(later.all()).toEqual([{ ...use, removedAt: 20 }]);
  });

  it('are none where no message has media', () => {
    const uses = new MediaUses();
    const bare = { ...sent, media: [] } as Message;
    uses.follow({ ...sending, message: bare } as unknown as ConversationEvent, new Map());
    uses.follow(deleting, new Map([['7', bare]]));
    expect(uses.all()).toEqual([]);
  });
});
