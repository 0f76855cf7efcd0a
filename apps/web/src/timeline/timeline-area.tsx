import type { Conversation, ParleyConversation, TimelineItem } from '@parley/sdk';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { Confirm } from '../design/dialog.jsx';
import { DropZone } from '../media/drop-zone.jsx';
import { useAttachments } from '../media/use-attachments.js';
import { useNotices } from '../notices/notices.jsx';
import { useSignedIn } from '../state/signed-in.js';
import { useTimeline } from '../state/use-conversation.js';
import { Composer, type ComposerTarget } from './composer.jsx';
import { type ConversationActions, ConversationActionsContext } from './conversation-context.js';
import { MessageInfoDialog } from './message-info-dialog.jsx';
import { Timeline, type TimelineHandle } from './timeline.jsx';
import { TimelineSkeleton } from './timeline-skeleton.jsx';
import { useAnnouncements } from './use-announcements.js';
import { useFirstUnread } from './use-first-unread.js';
import './timeline.css';

interface AreaProps {
  readonly conversation: Conversation;
  readonly handle: ParleyConversation;
  readonly hasEnded: boolean;
}

/** The timeline and the composer, and what a message asks of them. */
export function TimelineArea({ conversation, handle, hasEnded }: AreaProps) {
  const { client } = useSignedIn();
  const { attempt } = useNotices();
  const view = useTimeline(handle);
  const unread = useFirstUnread(handle, conversation, view);
  const timeline = useRef<TimelineHandle>(null);
  const files = useAttachments();
  const [target, setTarget] = useState<ComposerTarget | null>(null);
  const [deleting, setDeleting] = useState<TimelineItem | null>(null);
  const [informing, setInforming] = useState<TimelineItem | null>(null);
  useAnnouncements(view.items, view.hasNewer);
  const jumpTo = useCallback(
    (messageId: string) =>
      void attempt(async () => {
        const item = await handle.jumpTo(messageId);
        if (item?.seq != null) timeline.current?.showSeq(item.seq);
      }),
    [handle, attempt],
  );
  const isGroup = conversation.type === 'group';
  const isAdmin = isGroup && conversation.role === 'admin';
  const actions = useMemo(
    (): ConversationActions => ({
      handle,
      selfId: client.userId,
      isGroup,
      isAdmin,
      canWrite: !hasEnded,
      reply: (item) => setTarget({ kind: 'reply', item }),
      edit: (item) => setTarget({ kind: 'edit', item }),
      confirmDelete: setDeleting,
      showInfo: setInforming,
      jumpTo,
    }),
    [handle, client, isGroup, isAdmin, hasEnded, jumpTo],
  );
  const editLast = (): void => {
    const item = lastEditable(view.items, client.userId);
    if (item) setTarget({ kind: 'edit', item });
  };
  return (
    <ConversationActionsContext value={actions}>
      {!hasEnded && <DropZone onFiles={files.add} />}
      {hasEnded || (view.isLoaded && unread.isSettled) ? (
        <Timeline ref={timeline} view={view} conversation={conversation} firstUnreadSeq={unread.seq} />
      ) : (
        <TimelineSkeleton />
      )}
      {!hasEnded && (
        <Composer
          conversation={conversation}
          handle={handle}
          files={files}
          target={target}
          onDone={() => setTarget(null)}
          onSent={unread.forget}
          onEditLast={editLast}
        />
      )}
      {deleting && <ConfirmDelete item={deleting} handle={handle} onClose={() => setDeleting(null)} />}
      {informing && <MessageInfoDialog item={informing} handle={handle} onClose={() => setInforming(null)} />}
      <ReadOnFocus timeline={timeline} />
    </ConversationActionsContext>
  );
}

function ConfirmDelete(props: { item: TimelineItem; handle: ParleyConversation; onClose: () => void }) {
  const { attempt } = useNotices();
  const remove = (): void => void attempt(() => props.handle.delete(props.item.messageId ?? ''));
  return (
    <Confirm
      title="Delete this message?"
      text="It disappears for everybody. This cannot be taken back."
      action="Delete"
      onConfirm={remove}
      onClose={props.onClose}
    />
  );
}

function lastEditable(items: readonly TimelineItem[], selfId: string): TimelineItem | undefined {
  return items.findLast(
    ({ senderId, messageId, deletedAt }) => senderId === selfId && messageId !== null && deletedAt === null,
  );
}

/** What is on the screen counts as read when somebody comes back to this window. */
function ReadOnFocus({ timeline }: { timeline: React.RefObject<TimelineHandle | null> }) {
  useEffect(() => {
    const read = (): void => timeline.current?.markVisible();
    window.addEventListener('focus', read);
    document.addEventListener('visibilitychange', read);
    return () => {
      window.removeEventListener('focus', read);
      document.removeEventListener('visibilitychange', read);
    };
  }, [timeline]);
  return null;
}
