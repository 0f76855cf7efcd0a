import type { Message, MessagePage } from '@parley/contracts';
import { messageJson } from '@parley/domain';

export const JSON_TYPE = 'application/json; charset=utf-8';

const encodedItems = new WeakMap<readonly Message[], Buffer>();

/** The messages of a page as bytes, made once for each list: a store that answers the same list again is not paid twice. */
function itemsBytes(items: readonly Message[]): Buffer {
  let bytes = encodedItems.get(items);
  if (!bytes) {
    bytes = Buffer.from(`{"items":[${items.map(messageJson).join(',')}]`);
    encodedItems.set(items, bytes);
  }
  return bytes;
}

/** The wire's JSON of a page. Messages that were encoded for a socket or an earlier page are not encoded again. */
export function messagePageJson({ items, nextCursor, hasBefore, hasAfter }: MessagePage): Buffer {
  const rest = `,"nextCursor":${JSON.stringify(nextCursor)},"hasBefore":${hasBefore},"hasAfter":${hasAfter}}`;
  return Buffer.concat([itemsBytes(items), Buffer.from(rest)]);
}
