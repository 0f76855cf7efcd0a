import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { Icon, type IconName } from './icon.jsx';
import './popover.css';

const GAP_PX = 6;
const EDGE_PX = 8;

interface Place {
  readonly left: number;
  readonly top: number;
}

/** Below its anchor or, where that is cut off, above it; always whole on the screen. */
function placeBeside(anchor: DOMRect, width: number, height: number): Place {
  const left = Math.min(Math.max(EDGE_PX, anchor.right - width), window.innerWidth - width - EDGE_PX);
  const below = anchor.bottom + GAP_PX;
  const top = below + height > window.innerHeight - EDGE_PX ? anchor.top - height - GAP_PX : below;
  return { left: Math.max(EDGE_PX, left), top: Math.max(EDGE_PX, top) };
}

export interface PopoverProps {
  readonly anchor: HTMLElement;
  readonly onClose: () => void;
  readonly className?: string;
  readonly role?: 'menu' | 'dialog';
  readonly label: string;
  readonly children: ReactNode;
}

/** Something small beside the control that opened it; closed by Escape, by a click elsewhere, and when that is scrolled away. */
export function Popover({ anchor, onClose, className = '', role = 'dialog', label, children }: PopoverProps) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place | null>(null);
  const isPlaced = place !== null;
  useLayoutEffect(() => {
    const size = box.current?.getBoundingClientRect();
    if (size) setPlace(placeBeside(anchor.getBoundingClientRect(), size.width, size.height));
  }, [anchor]);
  useEffect(() => {
    if (isPlaced) box.current?.querySelector<HTMLElement>('button, input')?.focus();
  }, [isPlaced]);
  useEffect(() => {
    const outside = (event: Event): void => {
      const target = event.target as Node;
      if (!box.current?.contains(target) && !anchor.contains(target)) onClose();
    };
    // It goes along with its anchor, as far as that can be seen: a list also scrolls when a message comes.
    const scrolled = ({ target }: Event): void => {
      if (!(target instanceof Element) || !target.contains(anchor) || !box.current) return;
      const [at, seen] = [anchor.getBoundingClientRect(), target.getBoundingClientRect()];
      if (at.bottom <= seen.top || at.top >= seen.bottom) return onClose();
      const { width, height } = box.current.getBoundingClientRect();
      setPlace(placeBeside(at, width, height));
    };
    document.addEventListener('scroll', scrolled, true);
    document.addEventListener('pointerdown', outside);
    window.addEventListener('resize', onClose);
    return () => {
      document.removeEventListener('scroll', scrolled, true);
      document.removeEventListener('pointerdown', outside);
      window.removeEventListener('resize', onClose);
    };
  }, [anchor, onClose]);
  const keys = (event: React.KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === 'Escape') {
      event.preventDefault();
      onClose();
      anchor.focus();
    } else if (role === 'menu') moveFocus(event, box.current);
  };
  return createPortal(
    <div
      ref={box}
      role={role}
      aria-label={label}
      className={`popover ${className}`}
      style={place ?? { left: 0, top: 0, visibility: 'hidden' }}
      onKeyDown={keys}
    >
      {children}
    </div>,
    anchor.closest('dialog') ?? document.body,
  );
}

function moveFocus(event: React.KeyboardEvent, box: HTMLElement | null): void {
  const items = [...(box?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
  const next = steps[event.key];
  if (next === undefined) return;
  event.preventDefault();
  items.at(next % items.length)?.focus();
}

export interface MenuEntry {
  readonly icon: IconName;
  readonly label: string;
  readonly danger?: boolean;
  readonly onSelect: () => void;
}

export function Menu(props: {
  anchor: HTMLElement;
  label: string;
  entries: readonly MenuEntry[];
  onClose: () => void;
}) {
  return (
    <Popover anchor={props.anchor} label={props.label} role="menu" className="menu" onClose={props.onClose}>
      {props.entries.map(({ icon, label, danger, onSelect }) => (
        <button
          key={label}
          type="button"
          role="menuitem"
          className={danger ? 'menu-item menu-item-danger' : 'menu-item'}
          onClick={() => {
            props.onClose();
            props.anchor.focus();
            onSelect();
          }}
        >
          <Icon name={icon} />
          {label}
        </button>
      ))}
    </Popover>
  );
}
