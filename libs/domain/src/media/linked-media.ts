import type { Media, Message } from '@parley/contracts';
import type { MediaLinks } from './media-links.port.js';
import { deservesScreenRendition, type MediaRecord } from './media-record.js';

/**
 * What a message carries of a medium: facts that never change, so that a replay gives the same message. Its addresses
 * are plain paths, which need a token; those who read the message get signed ones by `linkedMessage`.
 */
export function mediaFacts(medium: MediaRecord): Media {
  const { mediaId, fileName, mimeType, sizeBytes, width, height } = medium;
  const path = `/v1/media/${mediaId}`;
  // A client that sees the message at once would never hear of a thumbnail that is made a moment later: so the address is
  // there from the beginning, and whoever asks early is kept waiting until the picture is made.
  const isPicture = medium.renditions !== 'none' && medium.renditions !== 'failed';
  return {
    mediaId,
    url: path,
    thumbnailUrl: isPicture ? `${path}/thumbnail` : null,
    screenUrl: isPicture && deservesScreenRendition(medium) ? `${path}/screen` : null,
    mimeType,
    sizeBytes,
    width,
    height,
    fileName,
  };
}

/** The medium with addresses that need no token, for this viewer. */
export function linkedMedia(media: Media, viewerId: string, links: MediaLinks): Media {
  const { mediaId, thumbnailUrl, screenUrl } = media;
  return {
    ...media,
    url: links.sign(viewerId, mediaId, 'original'),
    thumbnailUrl: thumbnailUrl === null ? null : links.sign(viewerId, mediaId, 'thumbnail'),
    screenUrl: screenUrl == null ? null : links.sign(viewerId, mediaId, 'screen'),
  };
}

/** The message as this viewer gets it: the very same object where it has no media. */
export function linkedMessage(message: Message, viewerId: string, links: MediaLinks): Message {
  if (message.media.length === 0) return message;
  return { ...message, media: message.media.map((media) => linkedMedia(media, viewerId, links)) };
}

/** The same list where none of its messages has media, so that what was encoded of it before serves again. */
export function linkedMessages<List extends readonly Message[]>(messages: List, viewerId: string, links: MediaLinks) {
  if (messages.every(({ media }) => media.length === 0)) return messages;
  return messages.map((message) => linkedMessage(message, viewerId, links)) as Message[] as unknown as List;
}
