import type { User } from '@parley/sdk';
import { useCallback, useEffect, useState } from 'react';
import { useNotices } from '../notices/notices.jsx';
import { useSignedIn } from '../state/signed-in.js';

interface Blocks {
  readonly blocked: readonly User[];
  /** @returns whether the server did it; what it refused was shown */
  readonly block: (userId: string) => Promise<boolean>;
  readonly unblock: (userId: string) => Promise<boolean>;
}

/** Those whom the user has blocked: the first page of them, read anew after each change. */
export function useBlocks(): Blocks {
  const { client } = useSignedIn();
  const { attempt } = useNotices();
  const [blocked, setBlocked] = useState<readonly User[]>([]);
  const load = useCallback(async () => setBlocked((await client.blocks()).items), [client]);
  useEffect(() => void load().catch(() => undefined), [load]);
  const change = useCallback(
    (work: () => Promise<void>) =>
      attempt(async () => {
        await work();
        await load();
      }),
    [attempt, load],
  );
  return {
    blocked,
    block: useCallback((userId) => change(() => client.block(userId)), [change, client]),
    unblock: useCallback((userId) => change(() => client.unblock(userId)), [change, client]),
  };
}
