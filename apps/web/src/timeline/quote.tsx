import type { Message } from '@parley/sdk';
import { useEffect, useState } from 'react';
import { usePersonName } from '../people/use-person.js';
import { useConversationActions } from './conversation-context.js';

/** What is shown of a message in one line. */
export function quotedText({
  content,
  deletedAt,
  contentType,
}: Pick<Message, 'content' | 'deletedAt' | 'contentType'>): string {
  if (deletedAt !== null) return 'This message was deleted';
  if (contentType === 'encrypted') return 'Encrypted message';
  if (content !== '') return content;
  return contentType === 'image' ? 'Picture' : 'File';
}

/** What a message replies to; leads there. */
export function Quote({ messageId }: { messageId: string }) {
  const { handle, jumpTo } = useConversationActions();
  const [message, setMessage] = useState(() => handle.peek(messageId));
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    let isCurrent = true;
    handle.message(messageId).then(
      (found) => isCurrent && setMessage(found),
      () => isCurrent && setMissing(true),
    );
    const stop = handle.on('timeline', () => setMessage((now) => handle.peek(messageId) ?? now));
    return () => {
      isCurrent = false;
      stop();
    };
  }, [handle, messageId]);
  if (!message) {
    return <span className="quote quote-missing">{isMissing ? 'A message that is not here any more' : '…'}</span>;
  }
  return <QuoteButton message={message} onClick={() => jumpTo(messageId)} />;
}

function QuoteButton({ message, onClick }: { message: Message; onClick: () => void }) {
  const { selfId } = useConversationActions();
  const name = usePersonName(message.senderId);
  return (
    <button type="button" className="quote" onClick={onClick}>
      <span className="visually-hidden">In reply to </span>
      <strong>{message.senderId === selfId ? 'You' : name}</strong>
      <span className="quote-text">{quotedText(message)}</span>
    </button>
  );
}
