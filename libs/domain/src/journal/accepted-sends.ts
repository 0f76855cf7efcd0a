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
 * What tells their ends may be lost, with the events or with a process that decided them. When events come again, or
 * another owner tells where its conversations are, each send whose end is not known goes into the log once more, under its
 * clientMsgId: it is decided as a repetition, and the answer is the first one's.
 */
export class AcceptedSends {
  private readonly waiting = new TransientMap<string, CommandRecord>();
  private readonly unsubscribe: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private asking: Promise<void> | null = null;
  private askAgain = false;

  constructor(
    private readonly log: CommandLog,
    private readonly replies: Replies,
    private readonly broadcast: Broadcast,
    private readonly options: AcceptedSendsOptions,
  ) {
    // Otherwise nothing is ever accepted.
    if (log.durableAt !== 'append') return;
    const askNowAndThen = (): void => {
      this.wake();
      // What is under way now may be accepted until then, and its reply lost all the same.
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.wake(), options.waitMs).unref();
    };
    this.unsubscribe.push(
      broadcast.onInterruption(askNowAndThen),
      broadcast.subscribe((events) => {
        // A former owner may have died between its commit and its replies.
        if (events.some(({ type }) => type === 'conversations-moved')) askNowAndThen();
      }),
    );
  }

  close(): void {
    for (const unsubscribe of this.unsubscribe) unsubscribe();
    clearTimeout(this.timer);
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

  private wake(): void {
    this.askAgain = true;
    this.asking ??= this.ask().finally(() => (this.asking = null));
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
    const told = (outcome: Outcome | null): void => {
      // A refusal is of the repetition: its sender may have been removed after the first one was stored.
      if (outcome?.kind === 'sent') this.settle(record, outcome);
    };
    const answer = this.replies.expect(commandId, this.options.waitMs, told);
    this.log.append([{ ...record, commandId }]).catch(() => this.replies.cancel(commandId));
    told(await answer);
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
