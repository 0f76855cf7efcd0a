import { useState } from 'react';
import { Confirm } from '../design/dialog.jsx';
import { Icon } from '../design/icon.jsx';
import { useNotices } from '../notices/notices.jsx';
import { useBlocks } from '../people/use-blocks.js';

/** Blocks somebody, or takes the block back. */
export function BlockAction({ userId, name }: { userId: string; name: string }) {
  const { show } = useNotices();
  const { blocked, block, unblock } = useBlocks();
  const [isAsking, setAsking] = useState(false);
  const isBlocked = blocked.some((user) => user.userId === userId);
  const blockNow = (): void => void block(userId).then((isGood) => isGood && show(`${name} is blocked.`));
  return (
    <>
      <button
        type="button"
        className="details-action details-action-danger"
        onClick={() => (isBlocked ? void unblock(userId) : setAsking(true))}
      >
        <Icon name="block" />
        <span>{isBlocked ? `Unblock ${name}` : `Block ${name}`}</span>
      </button>
      {isAsking && (
        <Confirm
          title={`Block ${name}?`}
          text="They cannot write to you any more. They are not told."
          action="Block"
          onConfirm={blockNow}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
