import {
  type DeviceSession,
  SessionRegistry,
  type SessionReport,
  type SessionsByUser,
  SESSIONS_PER_USER_MAX,
  withDeadline,
} from '@parley/domain';
import type { RedisLine } from './redis-line.js';
import { GET_SESSIONS, PUT_SESSIONS } from './session-scripts.js';

/** Commands under way at once, so that live events need not wait behind all sessions of a gateway. */
const COMMANDS_AT_ONCE = 500;
/** After that whoever asks goes on without an answer. */
export const SESSIONS_WAIT_MS_MAX = 1_000;

export interface RedisSessionRegistryOptions {
  /** Milliseconds; Redis' own time if not given. Tests only: keys themselves end by Redis' time all the same. */
  nowMs?: () => number;
}

/**
 * Sessions in Redis, a hash for each user, so that every command concerns one key and a cluster of Redis can take them.
 * What a crashed gateway leaves goes when its time is over.
 */
export class RedisSessionRegistry extends SessionRegistry {
  constructor(
    private readonly line: RedisLine,
    private readonly options: RedisSessionRegistryOptions = {},
  ) {
    super();
  }

  override async put(reports: readonly SessionReport[]): Promise<boolean> {
    if (!this.line.isUp) return false;
    const now = this.now();
    const commands = new Map<string, string[]>();
    for (const { userId, gatewayId, deviceId, ttlMs, status, connected, connectedAt } of reports) {
      let words = commands.get(userId);
      if (!words) commands.set(userId, (words = ['1', this.keyOf(userId), now, `${SESSIONS_PER_USER_MAX}`]));
      words.push(`${gatewayId}/${deviceId}`, `${Math.floor(ttlMs)}`);
      words.push(`${status} ${connected ? 'here' : 'gone'} ${connectedAt}`);
    }
    return (await this.run(PUT_SESSIONS, [...commands.values()])) !== null;
  }

  override async ofUsers(userIds: readonly string[]): Promise<SessionsByUser | null> {
    const now = this.now();
    const users = [...new Set(userIds)];
    const answers = await this.run(
      GET_SESSIONS,
      users.map((userId) => ['1', this.keyOf(userId), now]),
    );
    if (!answers) return null;
    const found = new Map<string, DeviceSession[]>();
    users.forEach((userId, i) => {
      const sessions = sessionsOf(userId, answers[i] as (string | number)[]);
      if (sessions.length > 0) found.set(userId, sessions);
    });
    return found;
  }

  override onReturn(listener: () => void): () => void {
    return this.line.onUp(listener);
  }

  private keyOf(userId: string): string {
    return `${this.line.prefix}sessions:${userId}`;
  }

  private now(): string {
    const now = this.options.nowMs?.();
    return now === undefined ? '' : `${now}`;
  }

  /** The answers in the order of the commands; null when not all of them came in time. */
  private async run(
    { source, sha1 }: { source: string; sha1: string },
    commands: readonly (readonly string[])[],
  ): Promise<unknown[] | null> {
    const answers: unknown[] = [];
    if (!this.line.isUp) return null;
    try {
      for (let from = 0; from < commands.length; from += COMMANDS_AT_ONCE) {
        const some = commands.slice(from, from + COMMANDS_AT_ONCE).map((words) =>
          this.line.command(['EVALSHA', sha1, ...words]).catch((error: unknown) => {
            // A Redis that was restarted or flushed does not know the script.
            if (!String(error).includes('NOSCRIPT')) throw error;
            return this.line.command(['EVAL', source, ...words]);
          }),
        );
        const answered = await withDeadline(Promise.all(some), SESSIONS_WAIT_MS_MAX, () => null);
        if (!answered) return null;
        answers.push(...answered);
      }
      return answers;
    } catch {
      // An outage is told by the line; to whoever asked it is no answer.
      return null;
    }
  }
}

function sessionsOf(userId: string, answer: readonly (string | number)[]): DeviceSession[] {
  const sessions: DeviceSession[] = [];
  for (let i = 0; i < answer.length; i += 3) {
    const [gatewayId = '', deviceId = ''] = `${answer[i]}`.split('/');
    const [status, whereabouts, connectedAt] = `${answer[i + 2]}`.split(' ');
    sessions.push({
      userId,
      deviceId,
      gatewayId,
      status: status === 'online' ? 'online' : 'idle',
      connected: whereabouts === 'here',
      connectedAt: Number(connectedAt),
      expiresInMs: Number(answer[i + 1]),
    });
  }
  return sessions;
}
