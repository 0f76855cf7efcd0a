import type { Message } from '@parley/contracts';

const listBytes = (list: readonly unknown[]): number =>
  list.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(list));

/** Bytes in UTF-8 of what makes a message large: its content, and its media and reactions as JSON where it has any. */
export function textBytes({ content, media, reactions }: Message): number {
  return Buffer.byteLength(content) + listBytes(media) + listBytes(reactions);
}
