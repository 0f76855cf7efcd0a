import type { CommandRecord } from '../conversation/commands/command-record.js';
import type { SendMessageCommand } from '../conversation/commands/conversation-command.js';
import type { Outcome } from '../conversation/decision.js';
import { TransientMap } from '../collections/transient-map.js';
import type { LiveSendSettled } from '../live/live-event.js';
import type { Broadcast } from '../ports/broadcast.port.js';
import type { CommandLog } from '../ports/command-log.port.js';
import type { Replies } from '../ports/replies.port.js';

/** The oldest go first: their clients send them again of themselves. */
const SENDS_WAITING_MAX = 2_000;
const SENDS_ASKED_AT_ONCE_MAX = 100;

export interface AcceptedSendsOptions {
  nextCommandId: () => string;
  /** How long an answer is waited for. */
  waitMs: number;
}

/**
 * Sends of this process that were answered `accepted`; their ends are published as `send-settled`.
 *
 * What tells their ends may be lost with the events. When those come again, each send whose end is not known goes into the
 * log once more, under its clientMsgId: it is decided as a repetition, and the answer is the first one's.
 */
export class AcceptedSends {
  private readonly waiting = new TransientMap<string, CommandRecord>();
  private readonly unsubscribe: () => void;
  private asking: Promise<void> | null = null;
  private askAgain = false;

  constructor(
    private readonly log: CommandLog,
    private readonly replies: Replies,
    private readonly broadcast: Broadcast,
    private readonly options: AcceptedSendsOptions,
  ) {
    this.unsubscribe = broadcast.onInterruption(() => {
      this.askAgain = true;
      this.asking ??= this.ask().finally(() => (this.asking = null));
    });
  }

  close(): void {
    this.unsubscribe();
    this.waiting.clear();
  }

  add(record: CommandRecord): void {
    this.waiting.set(record.commandId, record);
    if (this.waiting.size <= SENDS_WAITING_MAX) return;
    const oldest = this.waiting.keys().next().value;
    if (oldest !== undefined) this.waiting.delete(oldest);
  }

  /** Tells the end of a send, once; nothing where it was not answered `accepted`. */
  settle({ commandId, actorId, conversationId, command }: CommandRecord, outcome: Outcome): void {
    if (!this.waiting.delete(commandId)) return;
    const settled: LiveSendSettled = {
      type: 'send-settled',
      userId: actorId,
      conversationId,
      clientMsgId: (command as SendMessageCommand).clientMsgId,
      outcome: settledAs(outcome),
    };
    void this.broadcast.publish([settled]);
  }

  private async ask(): Promise<void> {
    while (this.askAgain) {
      this.askAgain = false;
      const records = [...this.waiting.values()];
      for (let from = 0; from < records.length; from += SENDS_ASKED_AT_ONCE_MAX) {
        const some = records.slice(from, from + SENDS_ASKED_AT_ONCE_MAX);
        await Promise.all(some.map((record) => this.askFor(record)));
      }
    }
  }

  private async askFor(record: CommandRecord): Promise<void> {
    const commandId = this.options.nextCommandId();
    const answer = this.replies.expect(commandId, this.options.waitMs);
    this.log.append([{ ...record, commandId }]).catch(() => this.replies.cancel(commandId));
    const outcome = await answer;
    // A refusal is of the repetition: its sender may have been removed after the first one was stored.
    if (outcome?.kind === 'sent') this.settle(record, outcome);
  }
}

function settledAs(outcome: Outcome): LiveSendSettled['outcome'] {
  if (outcome.kind === 'sent') {
    const { messageId, seq, rev, at } = outcome;
    return { status: 'stored', messageId, seq, rev, at };
  }
  if (outcome.kind === 'refused') return { status: 'rejected', code: outcome.code, detail: outcome.detail };
  throw new Error(`a send came to "${outcome.kind}"`);
}
