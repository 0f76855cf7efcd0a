import { useMemo, useSyncExternalStore } from 'react';
import { pathOf, routeOf, type Route } from './route.js';

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
  };
}

export function useRoute(): Route {
  const path = useSyncExternalStore(subscribe, () => window.location.pathname);
  return useMemo(() => routeOf(path), [path]);
}

/** Shows another address; `replace` leaves no way back to the present one. */
export function navigate(route: Route, { replace = false } = {}): void {
  const path = pathOf(route);
  if (path === window.location.pathname) return;
  if (replace) window.history.replaceState(null, '', path);
  else window.history.pushState(null, '', path);
  for (const listener of listeners) listener();
}

/** For links: a plain click stays in this page, everything else (a new tab, a copied address) is the browser's. */
export function linkTo(route: Route): { href: string; onClick: (event: React.MouseEvent) => void } {
  return {
    href: pathOf(route),
    onClick: (event) => {
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      navigate(route);
    },
  };
}
