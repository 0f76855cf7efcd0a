import type { TimelineItem } from '@parley/sdk';
import { useCallback } from 'react';
import { IconButton } from '../design/icon.jsx';
import { Menu, type MenuEntry } from '../design/popover.jsx';
import { EmojiPicker } from '../emoji/emoji-picker.jsx';
import { BRIEF_TOAST_MS, useNotices } from '../notices/notices.jsx';
import { useConversationActions } from './conversation-context.js';
import './message-toolbar.css';

/** What stands open beside a control of the toolbar. */
export interface OpenPart {
  readonly what: 'emoji' | 'menu';
  readonly anchor: HTMLElement;
}

interface ToolbarProps {
  readonly item: TimelineItem;
  readonly isOwn: boolean;
  /** Held by the message, which keeps the toolbar as long as something is open. */
  readonly open: OpenPart | null;
  readonly setOpen: React.Dispatch<React.SetStateAction<OpenPart | null>>;
  /** After something was done that ends here. */
  readonly onDone: () => void;
}

/** What one can do with a message, beside the one that is pointed at or has the focus. */
export function MessageToolbar({ item, isOwn, open, setOpen, onDone }: ToolbarProps) {
  const { handle, reply } = useConversationActions();
  const { attempt } = useNotices();
  const close = useCallback(() => setOpen(null), [setOpen]);
  const toggle = (what: 'emoji' | 'menu') => (event: React.MouseEvent<HTMLElement>) => {
    const anchor = event.currentTarget;
    setOpen((now) => (now?.what === what ? null : { what, anchor }));
  };
  const react = (emoji: string): void => {
    close();
    onDone();
    if (item.messageId !== null) void attempt(() => handle.react(item.messageId as string, emoji));
  };
  return (
    <div className="toolbar-rail">
      <div className="toolbar" role="toolbar" aria-label="Message" onPointerUp={(event) => event.stopPropagation()}>
        <IconButton icon="smile" label="React" aria-expanded={open?.what === 'emoji'} onClick={toggle('emoji')} />
        <IconButton icon="reply" label="Reply" onClick={() => reply(item)} />
        <IconButton
          icon="more"
          label="More"
          aria-haspopup="menu"
          aria-expanded={open?.what === 'menu'}
          onClick={toggle('menu')}
        />
        {open?.what === 'emoji' && (
          <EmojiPicker anchor={open.anchor} label="React with" onPick={react} onClose={close} />
        )}
        {open?.what === 'menu' && <MessageMenu item={item} isOwn={isOwn} anchor={open.anchor} onClose={close} />}
      </div>
    </div>
  );
}

function MessageMenu(props: { item: TimelineItem; isOwn: boolean; anchor: HTMLElement; onClose: () => void }) {
  const { item, isOwn, anchor, onClose } = props;
  const { isAdmin, edit, confirmDelete, showInfo } = useConversationActions();
  const { attempt, show } = useNotices();
  const copy = (): void =>
    void attempt(async () => {
      await navigator.clipboard.writeText(item.content);
      show('Copied.', BRIEF_TOAST_MS);
    });
  // The toolbar goes with the focus: a dialog would find nothing to give it back to.
  const toMessage = (): void => anchor.closest<HTMLElement>('article')?.focus({ preventScroll: true });
  const fromMessage = (openDialog: (item: TimelineItem) => void) => () => {
    toMessage();
    openDialog(item);
  };
  const entries: MenuEntry[] = [];
  if (item.content !== '') entries.push({ icon: 'copy', label: 'Copy text', onSelect: copy });
  if (isOwn && item.contentType !== 'encrypted') {
    entries.push({ icon: 'pen', label: 'Edit', onSelect: () => edit(item) });
  }
  entries.push({ icon: 'info', label: 'Seen by', onSelect: fromMessage(showInfo) });
  if (isOwn || isAdmin) {
    entries.push({ icon: 'trash', label: 'Delete', danger: true, onSelect: fromMessage(confirmDelete) });
  }
  return <Menu anchor={anchor} label="Message" entries={entries} onClose={onClose} />;
}
