import { describe, expect, it } from 'vitest';
import type { LinkClaims, MediaLinks } from './media-links.port.js';

const ADA = '00000000-0000-4000-8000-0000000000a1';
const BEN = '00000000-0000-4000-8000-0000000000b2';
const MEDIUM = '00000000-0000-4000-8000-00000000000e';
const OTHER = '00000000-0000-4000-8000-00000000000f';
const NOON_MS = Date.UTC(2026, 10, 22, 12, 0, 30);

function claimsOf(link: string): LinkClaims {
  const { pathname, searchParams } = new URL(link, 'http://server.example');
  return { mediaId: pathname.split('/')[3] ?? '', ...Object.fromEntries(searchParams) };
}

/** What every adapter behind MediaLinks must do. */
export function mediaLinksContract(
  name: string,
  open: (now: () => number) => { links: MediaLinks; others: MediaLinks },
): void {
  describe(`${name} as MediaLinks`, () => {
    let nowMs = NOON_MS;
    const { links, others } = open(() => nowMs);

    it('speaks for the viewer it was signed for, on every variant', () => {
      for (const variant of ['original', 'thumbnail', 'screen'] as const) {
        const claims = claimsOf(links.sign(ADA, MEDIUM, variant));
        expect(links.verify(claims)).toEqual({ kind: 'user', userId: ADA });
      }
      expect(links.sign(ADA, MEDIUM, 'thumbnail')).toMatch(/^\/v1\/media\/[^/?]+\/thumbnail\?/);
    });

    it('speaks for nobody once anything of it is changed, nor when another server signed it', () => {
      const claims = claimsOf(links.sign(ADA, MEDIUM, 'original'));
      const changes: Partial<LinkClaims>[] = [
        { viewer: BEN },
        { mediaId: OTHER },
        { expires: String(Number(claims.expires) + 60) },
        { signature: `${claims.signature}A` },
        { signature: '' },
        { signature: 'é'.repeat(22) },
        { viewer: undefined },
      ];
      for (const change of changes)
        expect(links.verify({ ...claims, ...change }), JSON.stringify(change)).toEqual({ kind: 'none' });
      expect(others.verify(claims)).toEqual({ kind: 'none' });
    });

    it('lasts no longer than an hour, and no shorter than 59 minutes', () => {
      nowMs = NOON_MS;
      const claims = claimsOf(links.sign(ADA, MEDIUM, 'original'));
      nowMs = NOON_MS + 59 * 60_000;
      expect(links.verify(claims)).toEqual({ kind: 'user', userId: ADA });
      nowMs = NOON_MS + 60 * 60_000;
      expect(links.verify(claims)).toEqual({ kind: 'expired' });
      nowMs = NOON_MS;
    });

    it('is the same within a minute, so that a picture is not fetched again', () => {
      nowMs = NOON_MS;
      const first = links.sign(ADA, MEDIUM, 'original');
      nowMs = NOON_MS + 29_000;
      expect(links.sign(ADA, MEDIUM, 'original')).toBe(first);
      nowMs = NOON_MS + 31_000;
      expect(links.sign(ADA, MEDIUM, 'original')).not.toBe(first);
      nowMs = NOON_MS;
    });

    it('of an avatar names no viewer, does not run out, and is good for no other medium', () => {
      expect(links.avatar(MEDIUM)).toMatch(/^\/v1\/media\/[^/?]+\/thumbnail\?/);
      const claims = claimsOf(links.avatar(MEDIUM));
      nowMs = NOON_MS + 365 * 24 * 60 * 60_000;
      expect(links.verify(claims)).toEqual({ kind: 'avatar' });
      nowMs = NOON_MS;
      expect(links.verify({ ...claims, mediaId: OTHER })).toEqual({ kind: 'none' });
      expect(others.verify(claims)).toEqual({ kind: 'none' });
    });
  });
}
