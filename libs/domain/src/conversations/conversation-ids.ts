import { hash, randomUUID } from 'node:crypto';

const DIRECT_NAMESPACE = '6c91aa6c-2f2f-4a85-93ea-4a7ab4787381';
const GROUP_NAMESPACE = 'b25c69d4-1d68-429a-aa4a-26dabf29dd8d';

/** The same for both of a pair, whoever asks first: so both reach the same conversation, also at the same time. */
export function directConversationId(oneUserId: string, otherUserId: string): string {
  return uuidV5(DIRECT_NAMESPACE, [oneUserId, otherUserId].toSorted().join(':'));
}

/** The same for a repeated request of the same creator; somebody else's equal request id gives another group. */
export function requestedGroupId(creatorId: string, clientRequestId: string): string {
  return uuidV5(GROUP_NAMESPACE, `${creatorId}:${clientRequestId}`);
}

/** A UUIDv7: a new one each time, greater from millisecond to millisecond. */
export function newGroupId(nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

/** RFC 9562, version 5: SHA-1 of the namespace's bytes and the name. */
function uuidV5(namespace: string, name: string): string {
  const bytes = Buffer.concat([Buffer.from(namespace.replaceAll('-', ''), 'hex'), Buffer.from(name, 'utf8')]);
  const digest = hash('sha1', bytes, 'hex');
  const variant = ((Number.parseInt(digest.charAt(16), 16) & 0x3) | 0x8).toString(16);
  const parts = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `5${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ];
  return parts.join('-');
}
