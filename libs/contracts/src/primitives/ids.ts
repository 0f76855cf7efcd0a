import { z } from 'zod';

/** A UUID in any version, taken in either case and kept in lower case. */
export const UuidSchema = z
  .guid()
  .toLowerCase()
  .meta({ examples: ['0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90'] });

export const UserIdSchema = UuidSchema.meta({ id: 'UserId', description: 'A user' });
export const ConversationIdSchema = UuidSchema.meta({ id: 'ConversationId', description: 'A conversation' });
export const DeviceIdSchema = UuidSchema.meta({ id: 'DeviceId', description: 'A device; the client chose it' });
export const MediaIdSchema = UuidSchema.meta({ id: 'MediaId', description: 'An uploaded medium' });

const MESSAGE_ID_MAX = (1n << 63n) - 1n;

/** 64-bit Snowflake as a decimal string: 41 bits of milliseconds since 2024-01-01, 10 of partition, 13 of counter. */
export const MessageIdSchema = z
  .string()
  // What is no number must not reach BigInt, which throws: found as a 500 for a UUID in the place of a message id.
  .regex(/^[1-9][0-9]{0,18}$/, { error: 'A decimal message id', abort: true })
  .refine((id) => id.length < 19 || BigInt(id) <= MESSAGE_ID_MAX, { error: 'A 64-bit message id', abort: true })
  .meta({ id: 'MessageId', description: 'A 64-bit Snowflake as a decimal string', examples: ['764123456789012480'] });

/** The sender's own id of a send: the key under which a repeated send finds the first one's answer. */
export const ClientMsgIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, '1 to 64 of A-Z a-z 0-9 _ -')
  .meta({ id: 'ClientMsgId', examples: ['2f1c9a52-8f0e-4c8e-9d3e-6f2b1c0a7d11'] });

export const TimeSchema = z
  .string()
  .meta({ id: 'Time', format: 'date-time', description: 'ISO 8601, UTC', examples: ['2026-11-22T10:00:00.000Z'] });

const FIRST_TIME = Date.parse('0000-01-01T00:00:00.000Z');
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * A time from outside, with any offset. One whose year in UTC does not have four digits is refused: it could not be
 * answered as a `Time` (`9999-12-31T23:59:59-14:00` is of the year 10000).
 */
export const GivenTimeSchema = z.iso.datetime({ offset: true, abort: true }).refine(
  (text) => {
    const at = Date.parse(text);
    return at >= FIRST_TIME && at <= LAST_TIME;
  },
  { error: 'A time of the years 0000 to 9999 in UTC', params: { code: 'invalid_format' } },
);

export const SeqSchema = z.int().min(0).meta({ id: 'Seq', description: 'Number in a conversation, without gaps' });
