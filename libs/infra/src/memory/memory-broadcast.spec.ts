import { describe, expect, it, vi } from 'vitest';
import { broadcastContract } from '../../../domain/src/ports/broadcast.port.contract.js';
import { MemoryBroadcast, MemoryBroadcastHub } from './memory-broadcast.js';

broadcastContract('memory', async () => {
  const hub = new MemoryBroadcastHub();
  return { here: new MemoryBroadcast(hub), there: new MemoryBroadcast(hub) };
});

describe('the broadcast in memory', () => {
  it('reports a listener that throws', async () => {
    const onError = vi.fn<(error: unknown) => void>();
    const broadcast = new MemoryBroadcast(new MemoryBroadcastHub(onError));
    const failure = new Error('a listener fails');
    broadcast.subscribe(() => {
      throw failure;
    });
    await broadcast.publish([{ type: 'conversations-moved', heads: [] }]);
    expect(onError).toHaveBeenCalledExactlyOnceWith(failure);
  });
});
