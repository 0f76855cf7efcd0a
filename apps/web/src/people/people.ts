import type { Conversation, Member, ParleyClient, User } from '@parley/sdk';

const PEOPLE_MAX = 2_000;
/** After a failure nobody is asked for again at once. */
const RETRY_MS = 15_000;
/** Asked for at a time; the others wait, those first who were asked for last: they are on the screen. */
const ASKED_AT_ONCE_MAX = 4;

/** Who this page has met: members by name, others as the server describes them when they are first looked for. */
export class People {
  private readonly users = new Map<string, User>();
  private readonly names = new Map<string, string>();
  private readonly noted = new WeakSet<readonly Member[]>();
  private readonly askedAtMs = new Map<string, number>();
  private readonly listeners = new Set<() => void>();
  private readonly waiting: string[] = [];
  private asking = 0;

  constructor(private readonly client: Pick<ParleyClient, 'user' | 'on' | 'conversations'>) {
    client.on('conversations', (all) => this.note(all));
    this.note(client.conversations);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Undefined until the server has answered; subscribers are told when it has. */
  find(userId: string): User | undefined {
    const user = this.users.get(userId);
    if (!user) this.ask(userId);
    return user;
  }

  /** Without asking for anybody. */
  known(userId: string): User | undefined {
    return this.users.get(userId);
  }

  /** Without asking for those who are members of a conversation at hand. */
  nameOf(userId: string): string | undefined {
    return this.users.get(userId)?.displayName ?? this.names.get(userId) ?? this.find(userId)?.displayName;
  }

  learn(...users: readonly User[]): void {
    for (const user of users) keep(this.users, user.userId, user);
    this.tell();
  }

  noteNames(members: readonly Pick<Member, 'userId' | 'displayName'>[]): void {
    let isNews = false;
    for (const { userId, displayName } of members) {
      if (this.names.get(userId) === displayName) continue;
      keep(this.names, userId, displayName);
      isNews = true;
    }
    if (isNews) this.tell();
  }

  private note(conversations: readonly Conversation[]): void {
    for (const { members } of conversations) {
      if (this.noted.has(members)) continue;
      this.noted.add(members);
      this.noteNames(members);
    }
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }

  private ask(userId: string): void {
    const asked = this.askedAtMs.get(userId);
    if (asked !== undefined && performance.now() - asked < RETRY_MS) return;
    keep(this.askedAtMs, userId, performance.now());
    this.waiting.push(userId);
    this.askNext();
  }

  private askNext(): void {
    if (this.asking >= ASKED_AT_ONCE_MAX) return;
    const userId = this.waiting.pop();
    if (userId === undefined) return;
    const done = (): void => {
      this.asking -= 1;
      this.askNext();
    };
    this.asking += 1;
    this.client
      .user(userId)
      .then(
        (user) => this.learn(user),
        () => undefined,
      )
      .finally(done);
  }
}

/** Puts it last, and drops the first ones beyond the bound. */
function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  for (const first of map.keys()) {
    if (map.size <= PEOPLE_MAX) break;
    map.delete(first);
  }
}
