import { createHmac, timingSafeEqual } from 'node:crypto';
import { CURSOR_CHARS_MAX } from '@parley/contracts';
import { CursorCodec, type CursorPosition, invalidField } from '@parley/domain';
import { derivedKey } from './derived-key.js';

const MAC_BYTES = 16;
const SEALED_MAX = 2_000;

/** A cursor is its position as JSON behind a keyed hash of user, list and position. Lasts over restarts. */
export class HmacCursorCodec extends CursorCodec {
  private readonly key: Buffer;
  /** The newest page of a busy conversation is asked for again and again, and a keyed hash costs as much as the page. */
  private readonly sealed = new Map<string, string>();

  constructor(secret: string) {
    super();
    this.key = derivedKey(secret, 'cursor');
  }

  override seal(userId: string, list: string, position: CursorPosition): string {
    const text = JSON.stringify(position);
    const key = JSON.stringify([userId, list, text]);
    let sealed = this.sealed.get(key);
    if (sealed === undefined) {
      const body = Buffer.from(text);
      sealed = Buffer.concat([this.mac(userId, list, body), body]).toString('base64url');
      this.sealed.set(key, sealed);
      const oldest = this.sealed.size > SEALED_MAX ? this.sealed.keys().next().value : undefined;
      if (oldest !== undefined) this.sealed.delete(oldest);
    }
    return sealed;
  }

  override open(userId: string, list: string, cursor: string): CursorPosition {
    const bytes = cursor.length > CURSOR_CHARS_MAX ? Buffer.alloc(0) : Buffer.from(cursor, 'base64url');
    const body = bytes.subarray(MAC_BYTES);
    const isOurs =
      bytes.length > MAC_BYTES && timingSafeEqual(bytes.subarray(0, MAC_BYTES), this.mac(userId, list, body));
    if (!isOurs) throw invalidField('cursor', 'invalid_cursor', 'Not a cursor of this list');
    return JSON.parse(body.toString()) as CursorPosition;
  }

  private mac(userId: string, list: string, body: Buffer): Buffer {
    // As JSON the parts cannot run into each other.
    const context = JSON.stringify([userId, list]);
    return createHmac('sha256', this.key).update(context).update('\n').update(body).digest().subarray(0, MAC_BYTES);
  }
}
