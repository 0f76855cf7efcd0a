import { z } from 'zod';
import { ERROR_CODE_NAMES } from './error-codes.js';

/** One thing that is wrong with a request: where (`memberIds.3`), a stable code, and a sentence. */
export const FieldErrorSchema = z
  .object({ path: z.string(), code: z.string(), message: z.string() })
  .meta({ id: 'FieldError', examples: [{ path: 'content', code: 'empty', message: 'Nothing visible in it' }] });
export type FieldError = z.infer<typeof FieldErrorSchema>;

export const ErrorCodeSchema = z.enum(ERROR_CODE_NAMES).meta({ id: 'ErrorCode' });

/** RFC 9457 problem document, sent as `application/problem+json`. */
export const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: ErrorCodeSchema,
    retryable: z.boolean(),
    requestId: z.string(),
    errors: z.array(FieldErrorSchema).optional(),
  })
  .meta({
    id: 'Problem',
    examples: [
      {
        type: 'https://parley.dev/errors/not_found',
        title: 'Not found',
        status: 404,
        detail: 'No such conversation',
        code: 'not_found',
        retryable: false,
        requestId: 'req-1f',
      },
    ],
  });
export type Problem = z.infer<typeof ProblemSchema>;

/** The same over the socket: in acknowledgements, in `connect_error.data` and in a rejected `ack`. */
export const SocketErrorSchema = z
  .object({
    code: ErrorCodeSchema,
    status: z.int(),
    detail: z.string(),
    retryable: z.boolean(),
    retryAfterMs: z.int().optional(),
    errors: z.array(FieldErrorSchema).optional(),
  })
  .meta({
    id: 'SocketError',
    examples: [{ code: 'not_found', status: 404, detail: 'No such conversation', retryable: false }],
  });
export type SocketError = z.infer<typeof SocketErrorSchema>;

export const RefusalSchema = z.object({ ok: z.literal(false), error: SocketErrorSchema }).meta({
  id: 'Refusal',
  examples: [
    { ok: false, error: { code: 'not_found', status: 404, detail: 'No such conversation', retryable: false } },
  ],
});
export type Refusal = z.infer<typeof RefusalSchema>;
