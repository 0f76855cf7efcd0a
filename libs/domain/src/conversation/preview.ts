import { type ContentType, type Media, PREVIEW_CODE_POINTS_MAX } from '@parley/contracts';

/**
 * The first code points of a text, for conversation lists; without a text, what the message carries. Content that only
 * clients can read is never previewed.
 */
export function previewOf(content: string, contentType: ContentType, media: readonly Media[] = []): string {
  if (contentType === 'encrypted') return '';
  const [first] = media;
  if (content === '' && first) return mediaPreview(first, media);
  if (content.length <= PREVIEW_CODE_POINTS_MAX) return content;
  let end = 0;
  for (let points = 0; points < PREVIEW_CODE_POINTS_MAX && end < content.length; points++) {
    const unit = content.charCodeAt(end);
    end += unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
  }
  return content.slice(0, end);
}

const KINDS = { image: ['Photo', 'photos'], video: ['Video', 'videos'], audio: ['Audio', 'recordings'] } as const;

function mediaPreview(first: Media, media: readonly Media[]): string {
  const kindOf = ({ mimeType }: Media): string => mimeType.slice(0, mimeType.indexOf('/'));
  const kind = kindOf(first);
  const isOneKind = media.every((medium) => kindOf(medium) === kind);
  const names = isOneKind && kind in KINDS ? KINDS[kind as keyof typeof KINDS] : null;
  if (media.length > 1) return `${media.length} ${names?.[1] ?? 'files'}`;
  return names?.[0] ?? first.fileName;
}
