import { z } from 'zod';

export const MESSAGE_CODE_POINTS_MAX = 100_000;
/** A body or frame above this is `payload_too_large`: 100,000 characters can be 1.2 MB of JSON. */
export const PAYLOAD_BYTES_MAX = 1_500_000;
export const DISPLAY_NAME_CODE_POINTS_MAX = 64;
export const STATUS_TEXT_CODE_POINTS_MAX = 140;
export const CONVERSATION_NAME_CODE_POINTS_MAX = 100;
export const EMOJI_CODE_UNITS_MAX = 64;

// White space, code points that Unicode says draw nothing, controls, and the empty Braille cell.
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\u2800]/u;

export function isVisible(text: string): boolean {
  return VISIBLE.test(text);
}

/** Unicode code points, counted only as far as `limit + 1`. */
function exceedsCodePoints(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  let points = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) i++;
    if (++points > limit) return true;
  }
  return false;
}

export interface TextProblem {
  code: 'invalid_unicode' | 'invalid_character' | 'too_long' | 'empty';
  message: string;
}

/** What is wrong with a text that would be stored exactly as sent, or null. */
export function textProblem(text: string, codePointsMax: number, mayBeEmpty: boolean): TextProblem | null {
  if (!text.isWellFormed()) return { code: 'invalid_unicode', message: 'Lone surrogates are not text' };
  if (text.includes('\0')) return { code: 'invalid_character', message: 'NUL is not allowed' };
  if (exceedsCodePoints(text, codePointsMax))
    return { code: 'too_long', message: `At most ${codePointsMax} characters` };
  if (!mayBeEmpty && !isVisible(text)) return { code: 'empty', message: 'Nothing visible in it' };
  return null;
}

export function textSchema(codePointsMax: number, options: { mayBeEmpty?: boolean } = {}): z.ZodString {
  return z.string().superRefine((text, context) => {
    const problem = textProblem(text, codePointsMax, options.mayBeEmpty ?? false);
    if (problem) context.addIssue({ code: 'custom', params: { code: problem.code }, message: problem.message });
  });
}

export const DisplayNameSchema = textSchema(DISPLAY_NAME_CODE_POINTS_MAX).meta({ examples: ['Ada Lovelace'] });
export const ConversationNameSchema = textSchema(CONVERSATION_NAME_CODE_POINTS_MAX).meta({ examples: ['Engine room'] });

/** A reaction: one to a few emoji code points; any visible text up to 64 UTF-16 units without controls or spaces. */
export const EmojiSchema = z
  .string()
  .min(1)
  .max(EMOJI_CODE_UNITS_MAX)
  .superRefine((text, context) => {
    const problem = textProblem(text, EMOJI_CODE_UNITS_MAX, false);
    const code = problem?.code ?? (/[\p{Cc}\p{White_Space}]/u.test(text) ? 'invalid_character' : null);
    if (code) context.addIssue({ code: 'custom', params: { code }, message: problem?.message ?? 'Not an emoji' });
  })
  .meta({ id: 'Emoji', examples: ['👍'] });
