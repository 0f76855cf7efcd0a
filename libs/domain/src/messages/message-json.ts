import type { Message } from '@parley/contracts';

const encoded = new WeakMap<Message, string>();

/**
 * The wire's JSON of a message, made once for each message object: the same text goes to every socket and page.
 * A changed message is a new object, so a stale text cannot be met.
 */
export function messageJson(message: Message): string {
  let json = encoded.get(message);
  if (json === undefined) {
    json = JSON.stringify(message);
    encoded.set(message, json);
  }
  return json;
}
