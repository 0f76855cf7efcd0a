import type { MessageStatus } from '@parley/sdk';
import { Icon, type IconName } from '../design/icon.jsx';

const TICKS: Readonly<Partial<Record<MessageStatus, readonly [icon: IconName, label: string]>>> = {
  sending: ['clock', 'Sending'],
  sent: ['check', 'Sent'],
  delivered: ['checks', 'Delivered'],
  read: ['checks', 'Read'],
  failed: ['alert', 'Not sent'],
};

/** How far one's own message has come. */
export function Tick({ status }: { status: MessageStatus }) {
  const [icon, label] = TICKS[status] ?? [];
  if (icon === undefined) return null;
  return (
    <span className={`tick tick-${status}`} title={label}>
      <Icon name={icon} small />
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
