/** Whether a mark has reached a message. Message ids are numbers too long for JavaScript's: a longer one is greater. */
export function hasReached(mark: string | null, messageId: string): boolean {
  if (mark === null) return false;
  return mark.length === messageId.length ? mark >= messageId : mark.length > messageId.length;
}
