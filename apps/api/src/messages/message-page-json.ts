import type { MessagePage } from '@parley/contracts';
import { messageJson } from '@parley/domain';

export const JSON_TYPE = 'application/json; charset=utf-8';

/** The wire's JSON of a page. Messages that were encoded for a socket or an earlier page are not encoded again. */
export function messagePageJson({ items, nextCursor, hasBefore, hasAfter }: MessagePage): string {
  const messages = items.map(messageJson).join(',');
  return `{"items":[${messages}],"nextCursor":${JSON.stringify(nextCursor)},"hasBefore":${hasBefore},"hasAfter":${hasAfter}}`;
}
