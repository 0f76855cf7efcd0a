const DRAFTS_MAX = 200;
const SAVE_DELAY_MS = 300;

/** What was written and not sent, for each conversation, kept in this browser for its user. */
export class Drafts {
  private readonly texts: Map<string, string>;
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly key: string;

  constructor(
    userId: string,
    private readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> = localStorage,
  ) {
    this.key = `parley.drafts.${userId}`;
    this.texts = new Map(kept(this.storage.getItem(this.key)));
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  get(conversationId: string): string {
    return this.texts.get(conversationId) ?? '';
  }

  set(conversationId: string, text: string): void {
    if (text === this.get(conversationId)) return;
    this.texts.delete(conversationId);
    if (text.trim() !== '') this.texts.set(conversationId, text);
    const [oldest] = this.texts.keys();
    if (this.texts.size > DRAFTS_MAX && oldest !== undefined) this.texts.delete(oldest);
    this.timer ??= setTimeout(() => this.save(), SAVE_DELAY_MS);
    for (const listener of this.listeners) listener();
  }

  /** Writes at once what has changed; for a page that is about to go. */
  save(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    try {
      this.storage.setItem(this.key, JSON.stringify([...this.texts]));
    } catch {
      // The browser's storage is full: the drafts last as long as this page.
    }
  }

  /** Takes all of them out of the browser. */
  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.texts.clear();
    this.storage.removeItem(this.key);
  }
}

function kept(text: string | null): [string, string][] {
  try {
    const value = JSON.parse(text ?? '[]') as unknown;
    return Array.isArray(value) ? value.filter(isDraft) : [];
  } catch {
    return [];
  }
}

function isDraft(entry: unknown): entry is [string, string] {
  return Array.isArray(entry) && entry.length === 2 && entry.every((part) => typeof part === 'string');
}
