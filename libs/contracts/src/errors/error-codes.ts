/** One row for each code that a client can meet: its HTTP status and whether the same request may succeed later. */
export const ERROR_CODES = {
  validation_failed: { status: 400, retryable: false, title: 'The request is not valid' },
  unauthenticated: { status: 401, retryable: false, title: 'Sign in first' },
  token_expired: { status: 401, retryable: false, title: 'The access token has run out' },
  session_revoked: { status: 401, retryable: false, title: 'The session has ended' },
  invalid_credentials: { status: 401, retryable: false, title: 'User name or password is wrong' },
  refresh_reused: { status: 401, retryable: false, title: 'The refresh token was used before' },
  forbidden: { status: 403, retryable: false, title: 'Not allowed' },
  blocked: { status: 403, retryable: false, title: 'The other person has blocked you' },
  not_found: { status: 404, retryable: false, title: 'Not found' },
  conflict: { status: 409, retryable: false, title: 'Conflict with the present state' },
  client_msg_id_reused: { status: 409, retryable: false, title: 'The clientMsgId was used for another message' },
  members_limit: { status: 409, retryable: false, title: 'Too many members' },
  last_admin: { status: 409, retryable: false, title: 'A group keeps at least one admin' },
  payload_too_large: { status: 413, retryable: false, title: 'The payload is too large' },
  media_quota_exceeded: { status: 413, retryable: false, title: 'The storage quota is used up' },
  unsupported_media_type: { status: 415, retryable: false, title: 'Unsupported media type' },
  media_too_large: { status: 422, retryable: false, title: 'The medium is too large' },
  rate_limited: { status: 429, retryable: true, title: 'Too many requests' },
  internal: { status: 500, retryable: true, title: 'Something went wrong on the server' },
  overloaded: { status: 503, retryable: true, title: 'The server is overloaded' },
  store_unavailable: { status: 503, retryable: true, title: 'A store is not available' },
} as const satisfies Record<string, { status: number; retryable: boolean; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export const ERROR_CODE_NAMES = Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]];
