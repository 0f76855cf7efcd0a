import type { Conversation } from '@parley/sdk';

/** What the list says of the latest message; null where there is none. */
export function previewOf({ lastMessage }: Conversation): string | null {
  if (!lastMessage) return null;
  const { preview, contentType } = lastMessage;
  if (contentType === 'encrypted') return 'Encrypted message';
  if (preview !== '') return preview;
  if (contentType === 'image') return 'Picture';
  return contentType === 'file' ? 'File' : 'Message deleted';
}
