const DRAFTS_MAX = 200;
const SAVE_DELAY_MS = 300;

/**
 * What was written and not sent, for each conversation, kept in this browser for its user. Several tabs write to the same
 * place: each writes only what was changed in it, and takes over what the others have written.
 */
export class Drafts {
  private texts: Map<string, string>;
  /** Conversations whose draft here is not stored yet. */
  private readonly changed = new Set<string>();
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
    bound(this.texts);
    this.changed.add(conversationId);
    this.timer ??= setTimeout(() => this.save(), SAVE_DELAY_MS);
    this.tell();
  }

  /** Another tab has stored something: what it wrote is taken over, what was changed here since stays. */
  readonly stored = ({ key }: Pick<StorageEvent, 'key'>): void => {
    // Null after everything was cleared.
    if (key !== null && key !== this.key) return;
    this.texts = this.merged();
    this.tell();
  };

  /** Writes at once what has changed; for a page that is about to go. */
  save(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.changed.size === 0) return;
    this.texts = this.merged();
    try {
      this.storage.setItem(this.key, JSON.stringify([...this.texts]));
      this.changed.clear();
    } catch {
      // The browser's storage is full: the drafts last as long as this page.
    }
  }

  /** Takes all of them out of the browser. */
  clear(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.texts.clear();
    this.changed.clear();
    this.storage.removeItem(this.key);
  }

  private merged(): Map<string, string> {
    const texts = new Map(kept(this.storage.getItem(this.key)));
    for (const id of this.changed) {
      texts.delete(id);
      const text = this.texts.get(id);
      if (text !== undefined) texts.set(id, text);
    }
    return bound(texts);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** Without the oldest beyond the bound. */
function bound(texts: Map<string, string>): Map<string, string> {
  for (const oldest of texts.keys()) {
    if (texts.size <= DRAFTS_MAX) break;
    texts.delete(oldest);
  }
  return texts;
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
