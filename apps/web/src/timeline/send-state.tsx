import { type Member, ParleyError, type TimelineItem } from '@parley/sdk';
import { useSyncExternalStore } from 'react';
import { Icon } from '../design/icon.jsx';
import { faultText } from '../session/fault-text.js';
import { useConversationActions } from './conversation-context.js';

const NAMES_SHOWN_MAX = 4;

/** Below one's own message: why it was not sent and what to do about it, or who has seen the latest one. */
export function SendState({ item, isOwn, isLast }: { item: TimelineItem; isOwn: boolean; isLast: boolean }) {
  if (!isOwn) return null;
  if (item.status === 'failed') return <Failed item={item} />;
  return isLast && item.messageId !== null ? <SeenBy messageId={item.messageId} /> : null;
}

function Failed({ item }: { item: TimelineItem }) {
  const { handle } = useConversationActions();
  const { failure, clientMsgId } = item;
  const why = failure ? faultText(new ParleyError(failure.code, failure.detail)) : '';
  return (
    <div className="send-failed" role="alert">
      <Icon name="alert" small />
      <span>Not sent. {why}</span>
      {failure?.retryable !== false && (
        <button type="button" onClick={() => handle.retry(clientMsgId)}>
          Try again
        </button>
      )}
      <button type="button" onClick={() => handle.discard(clientMsgId)}>
        Discard
      </button>
    </div>
  );
}

/** Only in groups: between two people the ticks say it. */
function SeenBy({ messageId }: { messageId: string }) {
  const { handle, isGroup } = useConversationActions();
  const text = useSyncExternalStore(
    (changed) => handle.on('details', changed),
    () => (isGroup && !handle.isRemoved ? namesOf(handle.seenBy(messageId)) : ''),
  );
  return text === '' ? null : <p className="seen-by">Seen by {text}</p>;
}

function namesOf(readers: readonly Member[]): string {
  const names = readers.slice(0, NAMES_SHOWN_MAX).map(({ displayName }) => displayName.split(' ')[0]);
  const more = readers.length - names.length;
  return names.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
