import { ConversationAvatar } from '../people/avatar.jsx';
import { useConversationTitle } from '../conversations/conversation-title.js';
import { dayName } from './times.js';
import type { TimelineContext } from './conversation-context.js';

/** Above the first message: that more is coming, or that this is where it began. */
export function TimelineStart({ context }: { context?: TimelineContext }) {
  if (!context) return null;
  if (context.view.hasOlder) {
    return (
      <div className="timeline-more" aria-hidden="true">
        <span className="skeleton" />
      </div>
    );
  }
  return <Beginning context={context} />;
}

function Beginning({ context: { conversation, view } }: { context: TimelineContext }) {
  const title = useConversationTitle(conversation);
  const began = dayName(conversation.createdAt).toLowerCase();
  return (
    <div className="timeline-beginning">
      <ConversationAvatar conversation={conversation} size="large" />
      <h3>{title}</h3>
      <p>
        {conversation.visibleFromSeq > 1
          ? 'You see what was written since you joined.'
          : conversation.type === 'group'
            ? `This group began ${began === 'today' || began === 'yesterday' ? began : `on ${dayName(conversation.createdAt)}`}.`
            : `This is the beginning of your conversation with ${title}.`}
      </p>
      {view.items.length === 0 && <p>Write the first message below.</p>}
    </div>
  );
}

/** Room below the last message, and that newer ones are coming. */
export function TimelineEnd({ context }: { context?: TimelineContext }) {
  return (
    <div className="timeline-end" aria-hidden="true">
      {context?.view.hasNewer && <span className="skeleton" />}
    </div>
  );
}
