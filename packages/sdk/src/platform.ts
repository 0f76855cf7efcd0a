interface Watchable {
  addEventListener?: (name: string, listener: () => void) => void;
  removeEventListener?: (name: string, listener: () => void) => void;
}

/**
 * Where the platform is a browser: tells when the page is looked at and when the network or the device came back. Timers
 * of hidden pages and sleeping devices stand still, so that nothing else would notice. @returns what ends it
 */
export function watchPlatform(told: { wake: () => void; active: (isActive: boolean) => void }): () => void {
  const window = globalThis as Watchable;
  const document = (globalThis as { document?: Watchable & { visibilityState?: string } }).document;
  const online = (): void => told.wake();
  const visibility = (): void => {
    const isVisible = document?.visibilityState !== 'hidden';
    told.active(isVisible);
    if (isVisible) told.wake();
  };
  window.addEventListener?.('online', online);
  window.addEventListener?.('pageshow', online);
  document?.addEventListener?.('visibilitychange', visibility);
  return () => {
    window.removeEventListener?.('online', online);
    window.removeEventListener?.('pageshow', online);
    document?.removeEventListener?.('visibilitychange', visibility);
  };
}
