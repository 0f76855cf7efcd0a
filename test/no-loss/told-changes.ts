import type { HistoryEvent } from './history.js';

type Event<Type extends HistoryEvent['type']> = Extract<HistoryEvent, { type: Type }>;

/**
 * What devices were told live of changes that are no new messages (edits, names, members), held against the stream: it
 * says who belonged to the conversation at which rev.
 */
export class ToldChanges {
  private readonly told: Event<'told'>[] = [];
  /** Of each member, in the order of rev. */
  private readonly turns = new Map<string, { rev: number; isThere: boolean }[]>();

  /** @param violate told of each change that somebody was told of who was not there, or came with it */
  constructor(private readonly violate: (text: string) => void) {}

  see(event: Event<'told'>): void {
    this.told.push(event);
  }

  streamed({ conversation, rev, added = [], removed = [] }: Event<'event'>): void {
    for (const user of removed) this.turn(conversation, user, { rev, isThere: false });
    for (const user of added) this.turn(conversation, user, { rev, isThere: true });
  }

  finish(): void {
    for (const { conversation, user, device, rev } of this.told) {
      const last = this.turns.get(placeOf(conversation, user))?.findLast((turn) => turn.rev <= rev);
      if (last?.isThere && last.rev < rev) continue;
      const why = last ? `${last.isThere ? 'came' : 'left'} with ${last.rev}` : 'was not there yet';
      this.violate(`${device} was told of the change ${rev} of ${conversation}, and ${why}`);
    }
  }

  private turn(conversation: string, user: string, turn: { rev: number; isThere: boolean }): void {
    const place = placeOf(conversation, user);
    const turns = this.turns.get(place);
    if (turns) turns.push(turn);
    else this.turns.set(place, [turn]);
  }
}

function placeOf(conversation: string, user: string): string {
  return `${conversation} ${user}`;
}
