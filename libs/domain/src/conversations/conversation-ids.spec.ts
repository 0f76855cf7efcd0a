import { v5 as uuidv5, validate, version } from 'uuid';
import { describe, expect, it } from 'vitest';
import { directConversationId, newGroupId, requestedGroupId } from './conversation-ids.js';

const ADA = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90';
const BEN = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b91';
const REQUEST = '2f1c9a52-8f0e-4c8e-9d3e-6f2b1c0a7d11';

describe('conversation ids', () => {
  it('are the same for a pair, in either order, and are version 5 of the standard', () => {
    const id = directConversationId(ADA, BEN);
    expect(directConversationId(BEN, ADA)).toBe(id);
    expect(id).toBe(uuidv5(`${ADA}:${BEN}`, '6c91aa6c-2f2f-4a85-93ea-4a7ab4787381'));
  });

  it('are the same for a repeated request of one creator, and no other', () => {
    const id = requestedGroupId(ADA, REQUEST);
    expect(requestedGroupId(ADA, REQUEST)).toBe(id);
    expect(requestedGroupId(BEN, REQUEST)).not.toBe(id);
    expect(validate(id)).toBe(true);
  });

  it('are new otherwise, version 7, and sort by time', () => {
    const ids = [1_790_000_000_000, 1_790_000_000_001, 1_790_000_000_002].map(newGroupId);
    expect(ids.map((id) => version(id))).toEqual([7, 7, 7]);
    expect(ids.toSorted()).toEqual(ids);
    expect(newGroupId(1_790_000_000_000)).not.toBe(ids[0]);
  });
});
