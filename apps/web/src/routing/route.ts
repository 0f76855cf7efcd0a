/** What an address of the web client shows. */
export type Route =
  | { readonly name: 'home' }
  | { readonly name: 'login' }
  | { readonly name: 'signup' }
  | { readonly name: 'settings' }
  | { readonly name: 'conversation'; readonly conversationId: string };

const CONVERSATION = /^\/c\/([0-9a-f-]{36})\/?$/;

/** An address that means nothing shows what `/` shows. */
export function routeOf(path: string): Route {
  const conversationId = CONVERSATION.exec(path)?.[1];
  if (conversationId !== undefined) return { name: 'conversation', conversationId };
  const [, name] = /^\/(login|signup|settings)\/?$/.exec(path) ?? [];
  return { name: (name as 'login' | 'signup' | 'settings' | undefined) ?? 'home' };
}

export function pathOf(route: Route): string {
  if (route.name === 'conversation') return `/c/${route.conversationId}`;
  return route.name === 'home' ? '/' : `/${route.name}`;
}
