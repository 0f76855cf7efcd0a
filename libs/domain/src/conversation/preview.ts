import { type ContentType, PREVIEW_CODE_POINTS_MAX } from '@parley/contracts';

/** The first code points of a text, for conversation lists. Content that only clients can read is never previewed. */
export function previewOf(content: string, contentType: ContentType): string {
  if (contentType === 'encrypted') return '';
  if (content.length <= PREVIEW_CODE_POINTS_MAX) return content;
  let end = 0;
  for (let points = 0; points < PREVIEW_CODE_POINTS_MAX && end < content.length; points++) {
    const unit = content.charCodeAt(end);
    end += unit >= 0xd800 && unit < 0xdc00 ? 2 : 1;
  }
  return content.slice(0, end);
}
