import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { useUppermostModal } from '../design/modal.js';
import { faultText } from '../session/fault-text.js';
import './notices.css';

const TOAST_MS = 6_000;
/** Of what needs no reading. */
export const BRIEF_TOAST_MS = 2_000;
const TOASTS_MAX = 3;

interface Notices {
  /** Shows a sentence for a few seconds. */
  readonly show: (text: string, durationMs?: number) => void;
  /** Runs something; what it throws is shown. */
  readonly attempt: (work: () => Promise<unknown>) => Promise<boolean>;
  /** Says something to screen readers alone. */
  readonly announce: (text: string) => void;
}

const NoticesContext = createContext<Notices | null>(null);

export function useNotices(): Notices {
  const notices = useContext(NoticesContext);
  if (!notices) throw new Error('There is no place for notices here');
  return notices;
}

interface Toast {
  readonly id: number;
  readonly text: string;
}

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const [spoken, setSpoken] = useState('');
  const lastId = useRef(0);
  const timers = useRef(new Set<ReturnType<typeof setTimeout>>());
  useEffect(() => {
    const running = timers.current;
    return () => {
      for (const timer of running) clearTimeout(timer);
    };
  }, []);
  const show = useCallback((text: string, durationMs = TOAST_MS) => {
    const id = ++lastId.current;
    setToasts((now) => [...now.filter((toast) => toast.text !== text), { id, text }].slice(-TOASTS_MAX));
    const timer = setTimeout(() => {
      timers.current.delete(timer);
      setToasts((now) => now.filter((toast) => toast.id !== id));
    }, durationMs);
    timers.current.add(timer);
  }, []);
  const attempt = useCallback(
    async (work: () => Promise<unknown>) => {
      try {
        await work();
        return true;
      } catch (fault) {
        show(faultText(fault));
        return false;
      }
    },
    [show],
  );
  const notices = useMemo(() => ({ show, attempt, announce: setSpoken }), [show, attempt]);
  return (
    <NoticesContext value={notices}>
      {children}
      <div className="visually-hidden" role="log" aria-live="polite" aria-label="New messages">
        {spoken}
      </div>
      <Toasts toasts={toasts} />
    </NoticesContext>
  );
}

/** In the open dialog, where there is one: what is outside of it is neither seen nor read out. */
function Toasts({ toasts }: { toasts: readonly Toast[] }) {
  const modal = useUppermostModal();
  return createPortal(
    <div className="toasts" role="status">
      {toasts.map(({ id, text }) => (
        <div key={id} className="toast">
          {text}
        </div>
      ))}
    </div>,
    modal ?? document.body,
  );
}
