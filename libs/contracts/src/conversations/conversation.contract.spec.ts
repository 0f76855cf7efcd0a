import { describe, expect, it } from 'vitest';
import { toFieldErrors } from '../errors/field-errors.js';
import { ChangeMembersSchema, CreateConversationSchema, MEMBER_IDS_PER_REQUEST_MAX } from './conversation.contract.js';

const UUID = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90';

/** As many as a request may name, none of them twice. */
function idsFrom(first: number): string[] {
  return Array.from({ length: MEMBER_IDS_PER_REQUEST_MAX }, (_, i) => {
    return `0190a6c4-5f3e-7a41-9d2b-${(first + i).toString(16).padStart(12, '0')}`;
  });
}

describe('the largest requests that name members', () => {
  // One that compares each id with each other one takes a second and more.
  const MS_MAX = 300;
  const [some, others] = [idsFrom(0), idsFrom(MEMBER_IDS_PER_REQUEST_MAX)];

  it.each([
    ['a change of members', ChangeMembersSchema, { add: some, remove: others }],
    ['a new group', CreateConversationSchema, { type: 'group', memberIds: some }],
  ])('are checked at once: %s', (_, schema, body) => {
    const took = Array.from({ length: 5 }, () => {
      const startedAt = performance.now();
      expect(schema.safeParse(body).success).toBe(true);
      return performance.now() - startedAt;
    });
    // The quickest of five: the machine may have had something else to do.
    expect(Math.min(...took)).toBeLessThan(MS_MAX);
  });
});

describe('a change of members', () => {
  const codesOf = (body: unknown): string[] => {
    const { error } = ChangeMembersSchema.safeParse(body);
    return error ? toFieldErrors(error).map(({ path, code }) => `${path}:${code}`) : [];
  };

  it('gives one user one role, however the id is spelled', () => {
    const upper = UUID.toUpperCase();
    expect(codesOf({ roles: { [UUID]: 'admin', [upper]: 'member' } })).toEqual([`roles.${upper}:duplicate_key`]);
    expect(ChangeMembersSchema.parse({ roles: { [upper]: 'admin' } })).toEqual({ roles: { [UUID]: 'admin' } });
  });

  it('does not add and remove the same user, however the id is spelled', () => {
    expect(codesOf({ add: [UUID], remove: [UUID.toUpperCase()] })).toEqual(['add:exclusive']);
  });

  it('names roles that there are, of ids', () => {
    expect(codesOf({ roles: { [UUID]: 'owner' } })).toEqual([`roles.${UUID}:invalid_value`]);
    expect(codesOf({ roles: { nobody: 'admin' } })).toEqual([expect.stringMatching(/^roles\.nobody:/)]);
    expect(codesOf({ roles: {} })).toEqual([':empty']);
  });
});
