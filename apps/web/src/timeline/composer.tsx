import { type Conversation, LIMITS, type Media, type ParleyConversation, type TimelineItem } from '@parley/sdk';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';
import { useConversationTitle } from '../conversations/conversation-title.js';
import { Icon, IconButton } from '../design/icon.jsx';
import { EmojiPicker } from '../emoji/emoji-picker.jsx';
import { AttachmentBar } from '../media/attachment-bar.jsx';
import type { UsedAttachments } from '../media/use-attachments.js';
import { useNotices } from '../notices/notices.jsx';
import { usePersonName } from '../people/use-person.js';
import { useSignedIn } from '../state/signed-in.js';
import { quotedText } from './quote.jsx';
import './composer.css';

/** The message that is replied to, or changed. */
export interface ComposerTarget {
  readonly kind: 'reply' | 'edit';
  readonly item: TimelineItem;
}

interface ComposerProps {
  readonly files: UsedAttachments;
  readonly conversation: Conversation;
  readonly handle: ParleyConversation;
  readonly target: ComposerTarget | null;
  readonly onDone: () => void;
  readonly onSent: () => void;
  readonly onEditLast: () => void;
}

/** Where one writes: Enter sends, Shift+Enter breaks the line, ArrowUp in an empty field changes one's last message. */
export function Composer(props: ComposerProps) {
  const { conversation, handle, files, target } = props;
  const { text, setText, submit, cancel, canSend, isTooLong, isEdit } = useComposer(props);
  const field = useRef<HTMLTextAreaElement>(null);
  const title = useConversationTitle(conversation);
  useGrowing(field, text);
  useEffect(() => {
    // A phone's keyboard should not rise before one wants to write.
    if (target || window.matchMedia('(hover: hover)').matches) field.current?.focus();
  }, [target, handle]);
  const insert = (emoji: string): void => {
    const { selectionStart = text.length, selectionEnd = text.length } = field.current ?? {};
    const before = text.slice(0, selectionStart) + emoji;
    flushSync(() => setText(before + text.slice(selectionEnd)));
    field.current?.focus();
    field.current?.setSelectionRange(before.length, before.length);
  };
  const change = (event: React.ChangeEvent<HTMLTextAreaElement>): void => {
    setText(event.target.value);
    handle.setTyping(event.target.value !== '');
  };
  const paste = (event: React.ClipboardEvent): void => {
    const pasted = [...event.clipboardData.files];
    if (pasted.length === 0 || isEdit) return;
    event.preventDefault();
    files.add(pasted);
  };
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {target && <TargetBar target={target} onCancel={cancel} />}
      {!isEdit && <AttachmentBar attachments={files.attachments} all={files.all} />}
      {isTooLong && (
        <p className="fault composer-fault">
          A message has at most {LIMITS.messageCharacters.toLocaleString('en')} characters.
        </p>
      )}
      <div className="composer-line">
        {!isEdit && <AttachButton onFiles={files.add} />}
        <EmojiButton onPick={insert} />
        <textarea
          ref={field}
          className="composer-text"
          rows={1}
          dir="auto"
          placeholder="Write a message"
          aria-label={`Message to ${title}`}
          value={text}
          onChange={change}
          onKeyDown={(event) => composerKeys(event, { ...props, isEmpty: text === '', submit, cancel })}
          onPaste={paste}
        />
        <SendButton isEdit={isEdit} isEnabled={canSend} />
      </div>
    </form>
  );
}

function SendButton({ isEdit, isEnabled }: { isEdit: boolean; isEnabled: boolean }) {
  return (
    <button
      type="submit"
      className="composer-send"
      disabled={!isEnabled}
      aria-label={isEdit ? 'Save' : 'Send'}
      // The field keeps the focus, and a phone its keyboard.
      onPointerDown={(event) => event.preventDefault()}
    >
      <Icon name={isEdit ? 'check' : 'send'} />
    </button>
  );
}

/** What is written, whether it can be sent, and sending it. */
function useComposer({ handle, files, target, onDone, onSent }: ComposerProps) {
  const { attempt } = useNotices();
  const { drafts } = useSignedIn();
  const { text, setText, clear } = useText(handle.id, target);
  const [isSaving, setSaving] = useState(false);
  const targetNow = useRef(target);
  targetNow.current = target;
  // Code points, as the server counts; the second is slow.
  const isTooLong = text.length > LIMITS.messageCharacters && [...text].length > LIMITS.messageCharacters;
  const isEdit = target?.kind === 'edit';
  const media = isEdit ? [] : files.all.flatMap((attachment) => attachment.media ?? []);
  const isUploading = !isEdit && files.all.length > media.length;
  const canSend = !isTooLong && !isUploading && !isSaving && (text.trim() !== '' || media.length > 0);
  /** What is written stays until the server has it: an edit waits for no connection, and its message may be gone. */
  const save = async ({ messageId, content }: TimelineItem): Promise<void> => {
    setSaving(true);
    const isSaved = text === content || (await attempt(() => handle.edit(messageId ?? '', text)));
    setSaving(false);
    if (isSaved && targetNow.current === target) onDone();
  };
  const send = async (content: string): Promise<void> => {
    const replyTo = target?.item.messageId;
    onSent();
    await handle.send(content, {
      ...(replyTo && { replyToMessageId: replyTo }),
      ...(media.length > 0 && { media, contentType: contentTypeOf(media) }),
    });
  };
  const submit = (): void => {
    if (!canSend) return;
    if (target?.kind === 'edit') return void save(target.item);
    const content = text;
    clear();
    onDone();
    files.attachments.clear();
    void attempt(() => send(content)).then((isGood) => {
      // What was written since stays, below what comes back.
      if (!isGood) setText([content, drafts.get(handle.id)].filter(Boolean).join('\n'));
    });
  };
  const cancel = (): void => {
    if (isEdit) clear();
    onDone();
  };
  return { text, setText, submit, cancel, canSend, isTooLong, isEdit };
}

interface KeyActions {
  readonly target: ComposerTarget | null;
  readonly isEmpty: boolean;
  readonly submit: () => void;
  readonly cancel: () => void;
  readonly onEditLast: () => void;
}

function composerKeys(event: React.KeyboardEvent, actions: KeyActions): void {
  if (event.nativeEvent.isComposing) return;
  const { target, isEmpty, submit, cancel, onEditLast } = actions;
  if (event.key === 'Enter' && !event.shiftKey) {
    event.preventDefault();
    submit();
  } else if (event.key === 'Escape' && target) {
    event.preventDefault();
    cancel();
  } else if (event.key === 'ArrowUp' && isEmpty && !target) {
    event.preventDefault();
    onEditLast();
  }
}

function contentTypeOf(media: readonly Media[]): 'image' | 'file' {
  return media.every(({ mimeType }) => mimeType.startsWith('image/')) ? 'image' : 'file';
}

function AttachButton({ onFiles }: { onFiles: (files: readonly File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <IconButton icon="clip" label="Attach files" onClick={() => input.current?.click()} />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files to attach"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // The same file may be chosen again.
          event.target.value = '';
        }}
      />
    </>
  );
}

/** What is being written: the draft of the conversation or, while a message is changed, that message. */
function useText(conversationId: string, target: ComposerTarget | null) {
  const { drafts } = useSignedIn();
  const [draft, setDraft] = useState(() => drafts.get(conversationId));
  // What another tab wrote, or sent. A text of blanks is no draft, and stays here as it is.
  useEffect(
    () =>
      drafts.subscribe(() =>
        setDraft((now) => (now.trim() === '' && drafts.get(conversationId) === '' ? now : drafts.get(conversationId))),
      ),
    [drafts, conversationId],
  );
  const [edited, setEdited] = useState<{ item: TimelineItem; text: string } | null>(null);
  if (target?.kind === 'edit' && edited?.item.key !== target.item.key) {
    setEdited({ item: target.item, text: target.item.content });
  } else if (target?.kind !== 'edit' && edited) setEdited(null);
  const setText = useCallback(
    (text: string) => {
      if (target?.kind === 'edit') return setEdited({ item: target.item, text });
      setDraft(text);
      drafts.set(conversationId, text);
    },
    [target, drafts, conversationId],
  );
  const clear = useCallback(() => setText(''), [setText]);
  return { text: edited?.text ?? draft, setText, clear };
}

/** As high as its text, up to what the style allows. */
function useGrowing(field: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  useLayoutEffect(() => {
    const element = field.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [field, text]);
}

function TargetBar({ target: { kind, item }, onCancel }: { target: ComposerTarget; onCancel: () => void }) {
  const { client } = useSignedIn();
  const name = usePersonName(item.senderId);
  const who = item.senderId === client.userId ? 'yourself' : name;
  return (
    <div className="composer-target">
      <Icon name={kind === 'edit' ? 'pen' : 'reply'} />
      <span className="composer-target-lines">
        <strong>{kind === 'edit' ? 'Edit message' : `Reply to ${who}`}</strong>
        <span>{quotedText(item)}</span>
      </span>
      <IconButton icon="close" label="Cancel" onClick={onCancel} />
    </div>
  );
}

function EmojiButton({ onPick }: { onPick: (emoji: string) => void }) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const close = useCallback(() => setAnchor(null), []);
  return (
    <>
      <IconButton
        icon="smile"
        label="Emoji"
        aria-expanded={anchor !== null}
        onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}
      />
      {anchor && (
        <EmojiPicker
          anchor={anchor}
          label="Emoji"
          showsAll
          onClose={close}
          onPick={(emoji) => {
            close();
            onPick(emoji);
          }}
        />
      )}
    </>
  );
}
