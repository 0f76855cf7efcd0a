import type { ConnectionState } from '@parley/sdk';
import { useCallback, useSyncExternalStore } from 'react';
import { useParley } from './provider.js';

const IDLE: ConnectionState = { status: 'idle' };

/** The state of the connection; `idle` while there is no client. */
export function useConnection(): ConnectionState {
  const { client } = useParley();
  const subscribe = useCallback((changed: () => void) => client?.on('connection', changed) ?? (() => {}), [client]);
  const read = useCallback(() => client?.connectionState ?? IDLE, [client]);
  return useSyncExternalStore(subscribe, read, read);
}
