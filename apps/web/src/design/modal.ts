import { useLayoutEffect, useSyncExternalStore } from 'react';

/** The dialogs that are open, the uppermost last. */
let open: readonly HTMLDialogElement[] = [];
const listeners = new Set<() => void>();

function become(dialogs: readonly HTMLDialogElement[]): void {
  open = dialogs;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * The uppermost open dialog, null where there is none. What shall be seen and read out while it is open must be in it:
 * a modal dialog lies above everything else on the page, and makes it inert.
 */
export function useUppermostModal(): HTMLDialogElement | null {
  return useSyncExternalStore(subscribe, () => open.at(-1) ?? null);
}

/**
 * Opens a dialog as long as its component is there. The focus goes to what is marked `data-autofocus` in it (React's own
 * `autoFocus` comes too early: what is in a closed dialog takes no focus) and, when it closes, to where it was before.
 */
export function useModal(dialog: React.RefObject<HTMLDialogElement | null>): void {
  // Not a passive effect: a dialog that is off the page already when it closes gives the focus back to nobody.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (!element) return;
    if (!element.open) element.showModal();
    element.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    become([...open, element]);
    return () => {
      element.close();
      become(open.filter((each) => each !== element));
    };
  }, [dialog]);
}
