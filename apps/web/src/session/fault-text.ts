import { ParleyError } from '@parley/sdk';

const TEXTS: Readonly<Record<string, string>> = {
  network: 'The server cannot be reached. Check your connection and try again.',
  timeout: 'The server did not answer in time. Try again.',
  invalid_credentials: 'This user name and password do not belong together.',
  rate_limited: 'Too many attempts. Wait a moment and try again.',
  blocked: 'This person does not take messages from you.',
  forbidden: 'Only admins of this group may do that.',
  not_found: 'This does not exist any more, or you may not see it.',
  last_admin: 'A group needs an admin: make somebody else one first.',
  members_limit: 'This group is full.',
  outbox_full: 'Too many messages wait to be sent.',
  outbox_expired: 'It waited too long to be sent.',
  payload_too_large: 'This is too large.',
  media_too_large: 'This picture has too many pixels.',
  media_quota_exceeded: 'Your storage for files is full.',
  unsupported_media_type: 'Files of this kind are not taken.',
  overloaded: 'The server is busy. Try again in a moment.',
  store_unavailable: 'The server is busy. Try again in a moment.',
  internal: 'Something went wrong at the server.',
};

const FIELD_TEXTS: Readonly<Record<string, string>> = {
  too_long: 'This is too long.',
  empty: 'There is nothing to send.',
};

/** What went wrong, in a sentence for people. */
export function faultText(fault: unknown): string {
  if (!(fault instanceof ParleyError)) return 'Something went wrong.';
  const [first] = fault.errors;
  if (fault.code === 'validation_failed' && first) return FIELD_TEXTS[first.code] ?? first.message;
  return TEXTS[fault.code] ?? fault.message;
}
