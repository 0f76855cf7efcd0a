import {
  ConversationNameSchema,
  DisplayNameSchema,
  MESSAGE_CODE_POINTS_MAX,
  MESSAGE_MEDIA_MAX,
  PASSWORD_CHARS_MAX,
  PASSWORD_CHARS_MIN,
  UpdateMeSchema,
  USER_SEARCH_CHARS_MAX,
  UsernameSchema,
} from '@parley/contracts';
import { expect, it } from 'vitest';
import { LIMITS } from './limits.js';

it('are those of the server', () => {
  expect([LIMITS.messageCharacters, LIMITS.mediaPerMessage]).toEqual([MESSAGE_CODE_POINTS_MAX, MESSAGE_MEDIA_MAX]);
  expect([LIMITS.passwordCharactersMin, LIMITS.passwordCharacters]).toEqual([PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX]);
  expect(LIMITS.userSearchCharacters).toBe(USER_SEARCH_CHARS_MAX);
});

it.each([
  ['a user name', LIMITS.usernameCharacters, 'a', (text: string) => UsernameSchema.safeParse(text)],
  ['a name', LIMITS.displayNameCharacters, '🙂', (text: string) => DisplayNameSchema.safeParse(text)],
  ['a status', LIMITS.statusTextCharacters, '🙂', (statusText: string) => UpdateMeSchema.safeParse({ statusText })],
  ['a group', LIMITS.conversationNameCharacters, '🙂', (text: string) => ConversationNameSchema.safeParse(text)],
])('%s may have %i characters and no more', (_, max, character, parse) => {
  expect([parse(character.repeat(max)).success, parse(character.repeat(max + 1)).success]).toEqual([true, false]);
});
