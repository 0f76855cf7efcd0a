const CHANGES_KEPT_MAX = 1_000;

/**
 * To which conversations the user has lately come, and from which it has gone. An answer may have been made before such
 * a change and arrive after it: whoever asks keeps `now` beside the question, and compares when the answer is there.
 */
export class Memberships {
  private count = 0;
  /** What was told up to here and is not kept any more. */
  private forgotten = 0;
  private readonly changes = new Map<string, number>();

  /** The present, for comparing what is told from now on. */
  get now(): number {
    return this.count;
  }

  /** The user has come to it or has gone. */
  note(conversationId: string): void {
    // Set anew, so that the oldest are always first.
    this.changes.delete(conversationId);
    this.changes.set(conversationId, ++this.count);
    const [oldest] = this.changes;
    if (this.changes.size <= CHANGES_KEPT_MAX || !oldest) return;
    this.changes.delete(oldest[0]);
    this.forgotten = oldest[1];
  }

  /** An answer to what was asked then may not know of it. Beyond 1,000 later changes this is true of every one. */
  hasChanged(conversationId: string, sinceThen: number): boolean {
    return (this.changes.get(conversationId) ?? this.forgotten) > sinceThen;
  }
}
