import { useConnection } from '@parley/react';
import { useEffect, useState } from 'react';
import { useSignedIn } from '../state/signed-in.js';

/** A short cut in the line is not worth a word. */
const PATIENCE_MS = 1_500;

/** Says that there is no connection, once that has lasted a moment, and what becomes of what one writes. */
export function ConnectionBanner() {
  const { client } = useSignedIn();
  const state = useConnection();
  const isDown = state.status === 'waiting' || state.status === 'closed' || state.status === 'connecting';
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (!isDown) return setShown(false);
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isDown]);
  return (
    <div role="status">
      {isShown && (
        <div className="banner">
          <span>
            {navigator.onLine ? 'Reconnecting…' : 'You are offline.'} What you write is sent as soon as there is a
            connection.
          </span>
          <button type="button" onClick={() => client.reconnect()}>
            Try now
          </button>
        </div>
      )}
    </div>
  );
}
