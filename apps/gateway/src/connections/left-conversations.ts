/** Conversations that one connection remembers, about 100 bytes each. What it forgets is kept from it by the order of events alone. */
export const LEFT_CONVERSATIONS_MAX = 1_000;

/**
 * What a socket was told that its user does not belong to: nothing of it is written to the socket until it is told that
 * the user belongs to it again. Asked for each event and recipient: nothing is made by asking.
 */
export class LeftConversations {
  private ids: Set<string> | null = null;

  has(conversationId: string): boolean {
    return this.ids !== null && this.ids.has(conversationId);
  }

  add(conversationId: string): void {
    this.ids ??= new Set();
    // Set anew, so that the oldest are always first.
    this.ids.delete(conversationId);
    this.ids.add(conversationId);
    if (this.ids.size <= LEFT_CONVERSATIONS_MAX) return;
    for (const oldest of this.ids) {
      this.ids.delete(oldest);
      return;
    }
  }

  delete(conversationId: string): void {
    if (this.ids?.delete(conversationId) && this.ids.size === 0) this.ids = null;
  }
}
