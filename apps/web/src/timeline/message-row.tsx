import type { TimelineItem } from '@parley/sdk';
import { memo, useEffect, useRef, useState } from 'react';
import { PersonAvatar } from '../people/avatar.jsx';
import { hueOf } from '../people/hue.js';
import { usePersonName } from '../people/use-person.js';
import { useConversationActions } from './conversation-context.js';
import { MessageBody } from './message-body.jsx';
import { MessageToolbar, type OpenPart } from './message-toolbar.jsx';
import { Reactions } from './reactions.jsx';
import { SendState } from './send-state.jsx';
import { dayName, wholeTime } from './times.js';

interface RowProps {
  readonly item: TimelineItem;
  readonly startsDay: boolean;
  readonly startsUnread: boolean;
  readonly startsGroup: boolean;
  readonly endsGroup: boolean;
  readonly isLast: boolean;
  readonly isHighlighted: boolean;
}

/** A message with what stands before it: the day, the line of what is new. */
export const MessageRow = memo(function MessageRow(props: RowProps) {
  const { item, startsDay, startsUnread } = props;
  return (
    <div className="message-row" data-seq={item.seq ?? undefined}>
      {startsDay && (
        <div className="day-line">
          <time dateTime={item.timestamp}>{dayName(item.timestamp)}</time>
        </div>
      )}
      {startsUnread && (
        <div className="unread-line" role="separator">
          <span>New messages</span>
        </div>
      )}
      <Message {...props} />
    </div>
  );
});

function Message({ item, startsGroup, endsGroup, isLast, isHighlighted }: RowProps) {
  const { selfId, isGroup, canWrite } = useConversationActions();
  const article = useRef<HTMLElement>(null);
  const [isActive, setActive] = useState(false);
  const [open, setOpen] = useState<OpenPart | null>(null);
  const name = usePersonName(item.senderId);
  const isOwn = item.senderId === selfId;
  const classes = [
    'message',
    isOwn ? 'message-own' : 'message-other',
    startsGroup && 'message-first',
    endsGroup && 'message-last',
    isHighlighted && 'message-highlighted',
  ];
  // A mouse that is still there keeps the toolbar; a finger has gone.
  const leaveByTouch = (): void => setActive((now) => now && window.matchMedia('(hover: hover)').matches);
  useLeaveOnOutside(article, isActive, setActive);
  const label = `${isOwn ? 'You' : name}, ${wholeTime(item.timestamp)}`;
  return (
    <article
      ref={article}
      className={classes.filter(Boolean).join(' ')}
      aria-label={label}
      // In the order of Tab while its toolbar is; else the timeline hands the focus to one of its messages.
      tabIndex={isActive ? 0 : -1}
      onPointerEnter={(event) => event.pointerType === 'mouse' && setActive(true)}
      onPointerLeave={(event) => event.pointerType === 'mouse' && setActive(false)}
      onPointerUp={(event) => event.pointerType !== 'mouse' && setActive((now) => !now)}
      onFocus={() => setActive(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setActive(false)}
    >
      {isGroup && !isOwn && (
        <span className="message-face">
          {endsGroup && <PersonAvatar userId={item.senderId} name={name} size="small" />}
        </span>
      )}
      <div className="message-column">
        {isGroup && !isOwn && startsGroup && (
          <span className={`message-name name-hue-${hueOf(item.senderId)}`}>{name}</span>
        )}
        <div className="message-line">
          <MessageBody item={item} isOwn={isOwn} />
          {(isActive || open) && canWrite && item.messageId !== null && item.deletedAt === null && (
            <MessageToolbar item={item} isOwn={isOwn} open={open} setOpen={setOpen} onDone={leaveByTouch} />
          )}
        </div>
        <Reactions item={item} />
        <SendState item={item} isOwn={isOwn} isLast={isLast} />
      </div>
    </article>
  );
}

/** A finger that touches something else leaves no message behind with its toolbar: it has no way of hovering away. */
function useLeaveOnOutside(
  article: React.RefObject<HTMLElement | null>,
  isActive: boolean,
  setActive: (isActive: boolean) => void,
): void {
  useEffect(() => {
    if (!isActive) return;
    const outside = ({ target, pointerType }: PointerEvent): void => {
      const isHere = target instanceof Element && (article.current?.contains(target) || target.closest('.popover'));
      if (pointerType !== 'mouse' && !isHere) setActive(false);
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [article, isActive, setActive]);
}
