import { useState } from 'react';
import { IconButton } from '../design/icon.jsx';
import { Popover } from '../design/popover.jsx';
import { EMOJI, QUICK_EMOJI } from './emoji.js';
import './emoji.css';

interface PickerProps {
  readonly anchor: HTMLElement;
  readonly label: string;
  /** True shows all of them from the start. */
  readonly showsAll?: boolean;
  readonly onPick: (emoji: string) => void;
  readonly onClose: () => void;
}

/** The usual emoji at once, the others behind a button. */
export function EmojiPicker({ anchor, label, showsAll = false, onPick, onClose }: PickerProps) {
  const [isWhole, setWhole] = useState(showsAll);
  return (
    <Popover key={String(isWhole)} anchor={anchor} label={label} className="emoji-picker" onClose={onClose}>
      {isWhole ? (
        <AllEmoji onPick={onPick} />
      ) : (
        <div className="emoji-quick">
          {QUICK_EMOJI.map((emoji) => (
            <EmojiButton key={emoji} emoji={emoji} onPick={onPick} />
          ))}
          <IconButton icon="plus" label="More emoji" onClick={() => setWhole(true)} />
        </div>
      )}
    </Popover>
  );
}

function AllEmoji({ onPick }: { onPick: (emoji: string) => void }) {
  const [wanted, setWanted] = useState('');
  const found = EMOJI.filter(([, words]) => words.includes(wanted.trim().toLowerCase()));
  return (
    <>
      <input
        type="search"
        className="input"
        placeholder="Find an emoji"
        aria-label="Find an emoji"
        value={wanted}
        onChange={(event) => setWanted(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && found[0] && onPick(found[0][0])}
      />
      <div className="emoji-grid">
        {found.map(([emoji, words]) => (
          <EmojiButton key={emoji} emoji={emoji} words={words} onPick={onPick} />
        ))}
      </div>
    </>
  );
}

function EmojiButton(props: { emoji: string; words?: string; onPick: (emoji: string) => void }) {
  const { emoji, words, onPick } = props;
  return (
    <button type="button" className="emoji" title={words} aria-label={emoji} onClick={() => onPick(emoji)}>
      {emoji}
    </button>
  );
}
