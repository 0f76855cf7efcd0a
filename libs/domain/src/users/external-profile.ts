import { createHash } from 'node:crypto';
import { DISPLAY_NAME_CODE_POINTS_MAX, textProblem } from '@parley/contracts';

/** What another system says about its user. */
export interface ExternalClaims {
  issuer: string;
  subject: string;
  name?: unknown;
  picture?: unknown;
}

export interface ExternalProfile {
  username: string;
  displayName: string;
  avatarUrl: string | null;
}

export const EXTERNAL_SUBJECT_CODE_POINTS_MAX = 128;
const PICTURE_URL_CHARS_MAX = 2_048;
const EXTERNAL_USERNAME = /^ext-[0-9a-f]{24}$/;

/** Names that are kept for users of another system; signing up with one answers as if it were taken. */
export function isReservedUsername(username: string): boolean {
  return EXTERNAL_USERNAME.test(username);
}

/** `salt` other than '' gives another name, for the case that the first one is taken. */
export function externalUsername(userId: string, salt = ''): string {
  const digest = createHash('sha256').update(`${userId}\n${salt}`).digest('hex');
  return `ext-${digest.slice(0, 24)}`;
}

function isDisplayName(text: string): boolean {
  return textProblem(text, DISPLAY_NAME_CODE_POINTS_MAX, false) === null;
}

function displayNameOf(claims: ExternalClaims, fallback: string): string {
  const name = typeof claims.name === 'string' ? claims.name.trim() : '';
  if (isDisplayName(name)) return name;
  const subject = [...claims.subject].slice(0, DISPLAY_NAME_CODE_POINTS_MAX).join('');
  return isDisplayName(subject) ? subject : fallback;
}

function pictureOf(picture: unknown): string | null {
  if (typeof picture !== 'string' || picture.length > PICTURE_URL_CHARS_MAX) return null;
  const url = URL.parse(picture);
  if (!url || !['http:', 'https:'].includes(url.protocol)) return null;
  return url.href.length > PICTURE_URL_CHARS_MAX ? null : url.href;
}

/** The profile that a user of another system begins with. What its token says wrongly or not at all is made up from its id. */
export function externalProfile(userId: string, claims: ExternalClaims): ExternalProfile {
  const username = externalUsername(userId);
  return { username, displayName: displayNameOf(claims, username), avatarUrl: pictureOf(claims.picture) };
}
