import type { ParleyClient } from '@parley/sdk';
import { useEffect } from 'react';
import { pathOf, routeOf } from '../routing/route.js';
import { navigate } from '../routing/use-route.js';
import { useSignedIn } from '../state/signed-in.js';
import { renewNotifications } from './notification-setting.js';

/** Keeps this browser known to the server where the user wants that, and opens what a notification was clicked for. */
export function usePush(): void {
  const { client } = useSignedIn();
  useEffect(() => {
    const stopRenewing = renewOnce(client);
    const hear = ({ data }: MessageEvent): void => {
      const { type, conversationId } = Object(data) as { type?: unknown; conversationId?: unknown };
      if (type === 'subscription-changed') void renew(client);
      if (type !== 'open' || typeof conversationId !== 'string') return;
      navigate(routeOf(pathOf({ name: 'conversation', conversationId })));
    };
    const worker = 'serviceWorker' in navigator ? navigator.serviceWorker : null;
    worker?.addEventListener('message', hear);
    return () => {
      stopRenewing();
      worker?.removeEventListener('message', hear);
    };
  }, [client]);
}

/** With the first connection. */
function renewOnce(client: ParleyClient): () => void {
  const look = (): void => {
    if (client.connectionState.status !== 'connected') return;
    stop();
    void renew(client);
  };
  const stop = client.on('connection', look);
  look();
  return stop;
}

/** The next start of this page tries again. */
async function renew(client: ParleyClient): Promise<void> {
  await renewNotifications(client).catch(() => undefined);
}
