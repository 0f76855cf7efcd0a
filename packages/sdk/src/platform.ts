/** Without a sign of life for so long, nobody is taken to look at a page that is in front. */
const INACTIVE_AFTER_MS = 60_000;
const SIGNS_OF_LIFE = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart', 'focus'];

interface Watchable {
  addEventListener?: (name: string, listener: () => void, options?: { passive: boolean; capture: boolean }) => void;
  removeEventListener?: (name: string, listener: () => void, options?: { capture: boolean }) => void;
}

/**
 * Where the platform is a browser: tells when the page is looked at and when the network or the device came back. Timers
 * of hidden pages and sleeping devices stand still, so that nothing else would notice. @returns what ends it
 */
export function watchPlatform(told: { wake: () => void; active: (isActive: boolean) => void }): () => void {
  const window = globalThis as Watchable;
  const document = (globalThis as { document?: Watchable & { visibilityState?: string } }).document;
  const online = (): void => told.wake();
  let lastSignMs = Date.now();
  let timer: ReturnType<typeof setTimeout> | null = null;
  const look = (): void => {
    timer = null;
    const leftMs = lastSignMs + INACTIVE_AFTER_MS - Date.now();
    if (leftMs <= 0) told.active(false);
    else timer = setTimeout(look, leftMs);
  };
  const sign = (): void => {
    lastSignMs = Date.now();
    if (timer !== null || document?.visibilityState === 'hidden') return;
    told.active(true);
    timer = setTimeout(look, INACTIVE_AFTER_MS);
  };
  const visibility = (): void => {
    if (document?.visibilityState === 'hidden') {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      return told.active(false);
    }
    sign();
    told.wake();
  };
  window.addEventListener?.('online', online);
  window.addEventListener?.('pageshow', online);
  document?.addEventListener?.('visibilitychange', visibility);
  if (document) {
    for (const name of SIGNS_OF_LIFE) window.addEventListener?.(name, sign, { passive: true, capture: true });
    sign();
  }
  return () => {
    if (timer !== null) clearTimeout(timer);
    window.removeEventListener?.('online', online);
    window.removeEventListener?.('pageshow', online);
    document?.removeEventListener?.('visibilitychange', visibility);
    for (const name of SIGNS_OF_LIFE) window.removeEventListener?.(name, sign, { capture: true });
  };
}
