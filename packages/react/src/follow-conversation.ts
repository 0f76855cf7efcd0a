import type { ParleyClient, ParleyConversation, ParleyError } from '@parley/sdk';

/**
 * Finds a conversation and follows it, also when it can be had only with a later connection, or when the user who was
 * taken out of it comes back. @param follow is given what to call when it is gone, and returns what ends the following
 * @returns what ends all of it
 */
export function followConversation(
  client: ParleyClient,
  conversationId: string,
  follow: (conversation: ParleyConversation, gone: () => void) => () => void,
  failed: (error: ParleyError) => void,
): () => void {
  let current: (() => void) | null = null;
  let isOver = false;
  let isAsking = false;
  let mayCome = false;
  const find = async (): Promise<void> => {
    if (current || isAsking || isOver) return;
    isAsking = true;
    try {
      const conversation = await client.conversation(conversationId);
      if (!isOver) current = follow(conversation, () => (current = null));
    } catch (cause) {
      const error = cause as ParleyError;
      mayCome = error.retryable;
      if (!isOver) failed(error);
    } finally {
      isAsking = false;
    }
  };
  const stops = [
    client.on('connection', ({ status }) => status === 'connected' && mayCome && void find()),
    // Whoever was removed may come back.
    client.on('conversations', (all) => {
      if (all.some((one) => one.conversationId === conversationId)) void find();
    }),
  ];
  void find();
  return () => {
    isOver = true;
    for (const stop of stops) stop();
    current?.();
  };
}
