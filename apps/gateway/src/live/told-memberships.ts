import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_SETTINGS, type GatewaySettings } from '../gateway-settings.js';

/** Longer than any answer of the database may be under way, and than two polls of heads are apart. */
const REMEMBERED_MS = 60_000;

interface Told {
  kind: 'removed' | 'created';
  turn: number;
  at: number;
}

/**
 * What users were lately told about belonging to conversations. An answer of the database that was asked for before
 * that is older than what the user knows: without this, a poll that overtakes a removal would show something of a
 * conversation after its `conversation_removed`.
 */
@Injectable()
export class ToldMemberships {
  private readonly told = new Map<string, Told>();
  private turns = 0;

  constructor(@Inject(GATEWAY_SETTINGS) private readonly settings: GatewaySettings) {}

  /** The present, for comparing what is told from now on. Take it before asking the database. */
  get turn(): number {
    return this.turns;
  }

  removed(userId: string, conversationId: string): void {
    this.note(userId, conversationId, 'removed');
  }

  created(userId: string, conversationId: string): void {
    this.note(userId, conversationId, 'created');
  }

  /** What was said last, if that was within the last minute. */
  last(userId: string, conversationId: string): Told | undefined {
    return this.told.get(`${userId}:${conversationId}`);
  }

  /** The user was told to have left, after that turn. */
  removedSince(userId: string, conversationId: string, turn: number): boolean {
    const told = this.last(userId, conversationId);
    return told?.kind === 'removed' && told.turn > turn;
  }

  private note(userId: string, conversationId: string, kind: Told['kind']): void {
    const now = this.settings.now();
    for (const [key, { at }] of this.told) {
      if (now - at <= REMEMBERED_MS) break;
      this.told.delete(key);
    }
    const key = `${userId}:${conversationId}`;
    // Set anew, so that the oldest are always first.
    this.told.delete(key);
    this.told.set(key, { kind, turn: ++this.turns, at: now });
  }
}
