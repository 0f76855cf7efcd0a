import type { TimelineItem } from '@parley/sdk';
import { MessageMedia } from '../media/message-media.jsx';
import { LinkedText } from './linked-text.jsx';
import { Quote } from './quote.jsx';
import { isFewEmoji } from './text-parts.js';
import { Tick } from './tick.jsx';
import { clockTime } from './times.js';

/** The bubble: what is quoted, the text, and in its corner the time and how far it has come. */
export function MessageBody({ item, isOwn }: { item: TimelineItem; isOwn: boolean }) {
  const isDeleted = item.deletedAt !== null;
  const isBig = !isDeleted && item.replyToMessageId === null && isFewEmoji(item.content);
  return (
    <div className={isBig ? 'bubble bubble-emoji' : 'bubble'}>
      {item.replyToMessageId !== null && !isDeleted && <Quote messageId={item.replyToMessageId} />}
      {item.media.length > 0 && !isDeleted && <MessageMedia item={item} />}
      <Content item={item} />
      <span className="bubble-meta">
        {item.editedAt !== null && !isDeleted && <span>edited</span>}
        <time dateTime={item.timestamp}>{clockTime(item.timestamp)}</time>
        {isOwn && !isDeleted && <Tick status={item.status} />}
      </span>
    </div>
  );
}

function Content({ item }: { item: TimelineItem }) {
  if (item.deletedAt !== null) return <span className="bubble-text bubble-gone">This message was deleted</span>;
  if (item.contentType === 'encrypted') return <span className="bubble-text bubble-gone">Encrypted message</span>;
  if (item.content === '') return null;
  return (
    <span className="bubble-text" dir="auto">
      <LinkedText text={item.content} />
    </span>
  );
}
