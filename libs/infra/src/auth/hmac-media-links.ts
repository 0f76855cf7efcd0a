import { createHmac, timingSafeEqual } from 'node:crypto';
import { type LinkBearer, type LinkClaims, MediaLinks, type MediaVariant } from '@parley/domain';
import { derivedKey } from './derived-key.js';

const HOUR_SECONDS = 3_600;
const MINUTE_SECONDS = 60;
const MAC_BYTES = 16;
const REMEMBERED_MAX = 5_000;

/** Links are signed with a key of their own, which every process derives from the secret that they share. */
export class HmacMediaLinks extends MediaLinks {
  private readonly key: Buffer;
  /** What one minute signed: a busy picture is in the page of every member. */
  private readonly remembered = new Map<string, string>();

  /** @param now milliseconds since the epoch */
  constructor(
    secret: string,
    private readonly now: () => number = Date.now,
  ) {
    super();
    this.key = derivedKey(secret, 'media-link');
  }

  override sign(userId: string, mediaId: string, variant: MediaVariant): string {
    const minute = Math.floor(this.now() / 1_000 / MINUTE_SECONDS) * MINUTE_SECONDS;
    const expires = String(minute + HOUR_SECONDS);
    const key = `${mediaId} ${userId} ${expires}`;
    let signature = this.remembered.get(key);
    if (signature === undefined) {
      signature = this.mac(['viewer', mediaId, userId, expires]);
      this.remembered.set(key, signature);
      const oldest = this.remembered.size > REMEMBERED_MAX ? this.remembered.keys().next().value : undefined;
      if (oldest !== undefined) this.remembered.delete(oldest);
    }
    const path = `/v1/media/${mediaId}${variant === 'original' ? '' : `/${variant}`}`;
    return `${path}?viewer=${userId}&expires=${expires}&signature=${signature}`;
  }

  override avatar(mediaId: string): string {
    return `/v1/media/${mediaId}/thumbnail?avatar=${this.mac(['avatar', mediaId])}`;
  }

  override verify({ mediaId, viewer, expires, signature, avatar }: LinkClaims): LinkBearer {
    if (viewer !== undefined && expires !== undefined && signature !== undefined) {
      if (!isSame(signature, this.mac(['viewer', mediaId, viewer, expires]))) return { kind: 'none' };
      return Number(expires) * 1_000 > this.now() ? { kind: 'user', userId: viewer } : { kind: 'expired' };
    }
    if (avatar !== undefined && isSame(avatar, this.mac(['avatar', mediaId]))) return { kind: 'avatar' };
    return { kind: 'none' };
  }

  private mac(parts: readonly string[]): string {
    // As JSON the parts cannot run into each other.
    const digest = createHmac('sha256', this.key).update(JSON.stringify(parts)).digest();
    return digest.subarray(0, MAC_BYTES).toString('base64url');
  }
}

function isSame(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
