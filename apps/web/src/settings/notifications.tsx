import { useCallback, useEffect, useState } from 'react';
import { Toggle } from '../design/toggle.jsx';
import { useNotices } from '../notices/notices.jsx';
import {
  notificationState,
  turnNotificationsOff,
  turnNotificationsOn,
  type NotificationState,
} from '../notifications/notification-setting.js';
import { useSignedIn } from '../state/signed-in.js';

const WORDS: Readonly<Record<NotificationState, string>> = {
  off: 'You see new messages when you look here.',
  on: 'You are told of new messages, even while Parley is closed.',
  'while-open': 'You are told of new messages while Parley is open. This browser cannot reach you when it is closed.',
  blocked: 'This browser blocks notifications from Parley. Allow them in its settings for this site first.',
  insecure: 'Browsers show notifications only of addresses that begin with https://.',
  unsupported: 'This browser cannot show notifications.',
};

/** Whether this browser tells of new messages, and what that means here. */
export function Notifications() {
  const { client } = useSignedIn();
  const { attempt } = useNotices();
  const [state, setState] = useState<NotificationState | null>(null);
  const [isBusy, setBusy] = useState(false);
  const look = useCallback(() => void notificationState().then(setState), []);
  useEffect(() => {
    look();
    // Whoever comes back may have changed the browser's settings.
    window.addEventListener('focus', look);
    return () => window.removeEventListener('focus', look);
  }, [look]);
  const turn = async (on: boolean): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    await attempt(() => (on ? turnNotificationsOn(client) : turnNotificationsOff(client)));
    setState(await notificationState());
    setBusy(false);
  };
  const isOn = state === 'on' || state === 'while-open';
  return (
    <div>
      <Toggle icon="bell" label="Notifications in this browser" isOn={isOn} onChange={(on) => void turn(on)} />
      <p className="settings-words" role="status">
        {isBusy ? 'One moment…' : state && WORDS[state]}
      </p>
    </div>
  );
}
