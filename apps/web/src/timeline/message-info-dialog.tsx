import type { ParleyConversation, Receipt, TimelineItem } from '@parley/sdk';
import { useEffect, useState } from 'react';
import { Dialog } from '../design/dialog.jsx';
import { useNotices } from '../notices/notices.jsx';
import { PersonAvatar } from '../people/avatar.jsx';
import { usePersonName } from '../people/use-person.js';
import { wholeTime } from './times.js';

interface InfoProps {
  readonly item: TimelineItem;
  readonly handle: ParleyConversation;
  readonly onClose: () => void;
}

/** When each member received and read a message. */
export function MessageInfoDialog({ item, handle, onClose }: InfoProps) {
  const { attempt } = useNotices();
  const [receipts, setReceipts] = useState<readonly Receipt[] | null>(null);
  const [nextCursor, setNextCursor] = useState<string | null>(null);
  const load = async (cursor?: string): Promise<void> => {
    const page = await handle.receipts(item.messageId ?? '', cursor);
    setReceipts((now) => [...(cursor === undefined ? [] : (now ?? [])), ...page.items]);
    setNextCursor(page.nextCursor);
  };
  useEffect(() => void attempt(() => load()), [item.messageId]);
  const read = receipts?.filter(({ readAt }) => readAt !== null) ?? [];
  const delivered = receipts?.filter(({ readAt, deliveredAt }) => readAt === null && deliveredAt !== null) ?? [];
  const waiting = receipts?.filter(({ deliveredAt, readAt }) => deliveredAt === null && readAt === null) ?? [];
  return (
    <Dialog title="Seen by" onClose={onClose}>
      {receipts === null && <div className="skeleton info-skeleton" />}
      {receipts?.length === 0 && <p className="hint">There is nobody else here.</p>}
      <Group title="Read" receipts={read} />
      <Group title="Delivered" receipts={delivered} />
      <Group title="Not yet delivered" receipts={waiting} />
      {nextCursor !== null && (
        <button type="button" className="button" onClick={() => void attempt(() => load(nextCursor))}>
          Show more
        </button>
      )}
    </Dialog>
  );
}

function Group({ title, receipts }: { title: string; receipts: readonly Receipt[] }) {
  if (receipts.length === 0) return null;
  return (
    <section>
      <h3 className="field-label">{title}</h3>
      <ul>
        {receipts.map((receipt) => (
          <Line key={receipt.userId} receipt={receipt} />
        ))}
      </ul>
    </section>
  );
}

function Line({ receipt: { userId, deliveredAt, readAt } }: { receipt: Receipt }) {
  const name = usePersonName(userId);
  const time = readAt ?? deliveredAt;
  return (
    <li className="person">
      <PersonAvatar userId={userId} name={name} size="small" />
      <span className="person-lines">
        <span>{name}</span>
        {time !== null && <span className="hint">{wholeTime(time)}</span>}
      </span>
    </li>
  );
}
