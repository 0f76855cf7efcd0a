import type { Media } from '@parley/sdk';
import { useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { Icon, IconButton } from '../design/icon.jsx';
import { useModal } from '../design/modal.js';

interface ViewerProps {
  readonly pictures: readonly Media[];
  readonly begin: number;
  readonly onClose: () => void;
}

/** A picture over the whole page; the arrow keys go to the others of its message. */
export function PictureViewer({ pictures, begin, onClose }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [at, setAt] = useState(begin);
  const medium = pictures[Math.min(at, pictures.length - 1)];
  useModal(dialog);
  const keys = (event: React.KeyboardEvent): void => {
    event.stopPropagation();
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined) setAt((now) => (now + step + pictures.length) % pictures.length);
  };
  if (!medium) return null;
  return createPortal(
    <dialog
      ref={dialog}
      className="viewer"
      aria-label={medium.fileName}
      onClose={({ currentTarget }) => currentTarget.open || onClose()}
      onKeyDown={keys}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <header className="viewer-head">
        <span>
          {medium.fileName}
          {pictures.length > 1 && ` (${at + 1} of ${pictures.length})`}
        </span>
        <a
          className="icon-button"
          href={`${medium.url}${medium.url.includes('?') ? '&' : '?'}download=1`}
          download={medium.fileName}
          aria-label="Download"
        >
          <Icon name="download" />
        </a>
        <IconButton icon="close" label="Close" onClick={() => dialog.current?.close()} />
      </header>
      <img src={medium.url} alt={medium.fileName} />
    </dialog>,
    document.body,
  );
}
