import { type Message, PAGE_BYTES_MAX } from '@parley/contracts';
import { messageJson } from '../messages/message-json.js';

/** No UTF-16 unit takes more bytes in UTF-8. */
const UNIT_BYTES_MAX = 3;

export function messageBytes(message: Message): number {
  return Buffer.byteLength(messageJson(message));
}

const units = new WeakMap<readonly Message[], number>();

/** UTF-16 units of the JSON of all of them, counted once for each list. */
function unitsOf(messages: readonly Message[]): number {
  let sum = units.get(messages);
  if (sum === undefined) {
    sum = messages.reduce((before, message) => before + messageJson(message).length + 1, 0);
    units.set(messages, sum);
  }
  return sum;
}

/** How many messages from the front fit into the bytes of JSON; one always does. */
export function countWithin(messages: readonly Message[], bytesMax: number = PAGE_BYTES_MAX): number {
  if (unitsOf(messages) * UNIT_BYTES_MAX <= bytesMax) return messages.length;
  let bytes = 0;
  for (const [index, message] of messages.entries()) {
    bytes += messageBytes(message) + 1;
    if (bytes > bytesMax) return Math.max(index, 1);
  }
  return messages.length;
}

/** The stretch around the message at `index` that fits: it grows to both sides by turns, and holds that one always. */
export function stretchWithin(
  messages: readonly Message[],
  index: number,
  bytesMax: number = PAGE_BYTES_MAX,
): readonly Message[] {
  if (countWithin(messages, bytesMax) === messages.length) return messages;
  let from = index;
  let to = index;
  // The one in the middle is there whatever its size, and leaves that much less room beside it.
  const middle = messages[index];
  let bytes = middle ? messageBytes(middle) + 1 : 0;
  const take = (message: Message | undefined): boolean => {
    if (!message || bytes + messageBytes(message) + 1 > bytesMax) return false;
    bytes += messageBytes(message) + 1;
    return true;
  };
  let down = true;
  let up = true;
  while (down || up) {
    down = down && take(messages[to + 1]);
    if (down) to += 1;
    up = up && take(messages[from - 1]);
    if (up) from -= 1;
  }
  return messages.slice(from, to + 1);
}
