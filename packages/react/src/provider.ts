import type { ParleyClient } from '@parley/sdk';
import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
  type ReactNode,
} from 'react';
import { OPENING, SessionHolder, type ParleySession } from './session-holder.js';

export type { ParleySession };

/**
 * Either a client that the application made and closes, or a function that opens one: called once for each mounted
 * provider, and its client is closed when the provider goes. Another user needs another provider: give it a `key`.
 */
export type ParleyProviderProps = { readonly children?: ReactNode } & (
  | { readonly client: ParleyClient | null; readonly open?: undefined }
  | { readonly open: () => Promise<ParleyClient | null>; readonly client?: undefined }
);

const SessionContext = createContext<ParleySession | null>(null);

/** Gives everything below it the one client. */
export function ParleyProvider(props: ParleyProviderProps): ReactNode {
  const { client, open, children } = props;
  const [holder] = useState(() => new SessionHolder(async () => (open ? open() : null)));
  const held = useSyncExternalStore(holder.subscribe, holder.read, holder.read);
  const isOwn = open !== undefined;
  useEffect(() => (isOwn ? holder.hold() : undefined), [holder, isOwn]);
  const given = useMemo(() => sessionOf(client), [client]);
  return createElement(SessionContext.Provider, { value: isOwn ? held : given }, children);
}

/** The client, once there is one, and what keeps it away otherwise. @throws Error outside of a ParleyProvider */
export function useParley(): ParleySession {
  const session = useContext(SessionContext);
  if (!session) throw new Error('This hook is used outside of a ParleyProvider');
  return session;
}

function sessionOf(client: ParleyClient | null | undefined): ParleySession {
  return client ? { status: 'ready', client, error: null } : OPENING;
}
