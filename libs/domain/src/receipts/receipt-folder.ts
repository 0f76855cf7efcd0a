import { Inject } from '@nestjs/common';
import { COMMAND_RECORD_VERSION, type CommandRecord } from '../conversation/commands/command-record.js';
import { RecentValues } from '../collections/recent-values.js';
import { TransientMap } from '../collections/transient-map.js';
import type { Mark, MemberMarks } from '../conversation/commands/conversation-command.js';
import type { MarkOutcome, Outcome } from '../conversation/decision.js';
import { DomainError } from '../errors/domain-error.js';
import { CommandJournal, storeUnavailable } from '../journal/command-journal.js';
import { DomainLimits, OVERLOADED_RETRY_AFTER_MS } from '../limits/domain-limits.js';
import { noSuchConversation } from '../membership/membership-directory.js';
import { CommandLog } from '../ports/command-log.port.js';
import { Replies } from '../ports/replies.port.js';

/** Members whose marks may wait for the next window; more are refused as `overloaded`. */
const MARKS_WAITING_MAX = 50_000;
/** How often it is looked which windows are over. */
const SLICE_MS = 10;
/** Marks that are journaled together; a conversation's own stay together however many they are. */
const MARKS_PER_SLICE_MAX = 128;
/** Members whose last mark is remembered, so that a mark that moves nothing costs nothing. */
const MARKS_REMEMBERED_MAX = 100_000;

/**
 * Windows that delivered marks wait which nobody is told of (in larger groups they are answered on demand). A thousand
 * devices in groups of a hundred that acked every 200 ms made 5,000 marks a second, and sends waited behind them:
 * p95 27 ms at 100 messages a second (measured), where a fifth of the marks say as much.
 */
const UNTOLD_WINDOWS = 5;

interface Waiter {
  userId: string;
  resolve: (mark: MarkOutcome) => void;
  reject: (error: unknown) => void;
}

/** The marks of one conversation that go into one command. */
interface Fold {
  conversationId: string;
  marks: Map<string, MemberMarks>;
  waiters: Waiter[];
  /** Somebody waits for these marks, or is told of them. */
  urgent: boolean;
}

interface FurthestMarks {
  /** Folded or further: it needs no other command. */
  deliveredSeq: number;
  /** Known to be stored. */
  readSeq: number;
}

/**
 * Gathers delivered and read marks and journals them together: one command for each conversation in a window, so that
 * 500 members who receive a message cost one record and not 500.
 *
 * The first mark after a quiet window goes at once, with what else the same turn of the event loop brings. Windows of
 * different conversations end at different times, and only so many marks go at once: a thousand rows in one commit kept
 * every send behind it waiting (measured: 40 ms, five times a second). Marks merge by maximum, so their order does not
 * matter and a repeated one changes nothing.
 */
export class ReceiptFolder {
  private readonly folds = new TransientMap<string, Fold>();
  private marksWaiting = 0;
  private readonly furthest = new RecentValues<FurthestMarks>(MARKS_REMEMBERED_MAX);
  /** When marks of a conversation last went, by `performance.now()`, while its window lasts; oldest first. */
  private readonly sentAt = new TransientMap<string, number>();
  private slice: NodeJS.Timeout | null = null;
  private first: NodeJS.Immediate | null = null;

  constructor(
    @Inject(CommandLog) private readonly log: CommandLog,
    @Inject(Replies) private readonly replies: Replies,
    @Inject(CommandJournal) private readonly journal: CommandJournal,
    @Inject(DomainLimits) private readonly limits: DomainLimits,
  ) {}

  /**
   * A member's device has this message and all before it. Nobody waits for it.
   * @param isTold whether other members hear of it when it is stored
   * @throws DomainError `overloaded`
   */
  foldDelivered(conversationId: string, userId: string, delivered: Mark, isTold: boolean): void {
    const furthest = this.furthestOf(conversationId, userId);
    if (furthest.deliveredSeq >= delivered.seq) return;
    const fold = this.merge(conversationId, { userId, delivered });
    fold.urgent ||= isTold;
    furthest.deliveredSeq = delivered.seq;
  }

  /**
   * Moves a member's read mark; resolves with where it stands once that is stored. Null when it is known to stand there
   * or further already.
   * @throws DomainError `overloaded`, `store_unavailable`; `not_found` when the decision finds no such member
   */
  foldRead(conversationId: string, userId: string, read: Mark): Promise<MarkOutcome> | null {
    const furthest = this.furthestOf(conversationId, userId);
    if (furthest.readSeq >= read.seq) return null;
    const fold = this.merge(conversationId, { userId, read });
    fold.urgent = true;
    furthest.deliveredSeq = Math.max(furthest.deliveredSeq, read.seq);
    return new Promise((resolve, reject) => {
      fold.waiters.push({ userId, resolve, reject });
    });
  }

  /** Journals what has been gathered, now; resolves when the log has it or has refused it. */
  async flush(): Promise<void> {
    if (this.slice) clearTimeout(this.slice);
    if (this.first) clearImmediate(this.first);
    this.slice = this.first = null;
    await this.journalFolds([...this.folds.values()]);
  }

  private furthestOf(conversationId: string, userId: string): FurthestMarks {
    const key = `${conversationId}${userId}`;
    let furthest = this.furthest.get(key);
    if (!furthest) this.furthest.set(key, (furthest = { deliveredSeq: 0, readSeq: 0 }));
    return furthest;
  }

  private merge(conversationId: string, marks: MemberMarks): Fold {
    let fold = this.folds.get(conversationId);
    const waiting = fold?.marks.get(marks.userId);
    if (!waiting) {
      if (this.marksWaiting >= MARKS_WAITING_MAX) {
        throw new DomainError('overloaded', undefined, { retryAfterMs: OVERLOADED_RETRY_AFTER_MS });
      }
      this.marksWaiting += 1;
    }
    if (!fold)
      this.folds.set(conversationId, (fold = { conversationId, marks: new Map(), waiters: [], urgent: false }));
    fold.marks.set(marks.userId, waiting ? furtherOf(waiting, marks) : marks);
    if (!this.slice && !this.first) this.first = setImmediate(() => this.turn());
    return fold;
  }

  private turn(): void {
    this.first = this.slice = null;
    const now = performance.now();
    for (const [conversationId, sentAt] of this.sentAt) {
      if (now - sentAt < this.limits.receiptWindowMs * UNTOLD_WINDOWS) break;
      this.sentAt.delete(conversationId);
    }
    void this.journalFolds(this.dueFolds(now));
    if (this.folds.size > 0 || this.sentAt.size > 0) this.slice = setTimeout(() => this.turn(), SLICE_MS);
  }

  /** Those whose window is over, as many as may go at once: one at least, the others with the next slice. */
  private dueFolds(now: number): Fold[] {
    const due: Fold[] = [];
    let marks = 0;
    for (const fold of this.folds.values()) {
      const sentAt = this.sentAt.get(fold.conversationId);
      const windowMs = this.limits.receiptWindowMs * (fold.urgent ? 1 : UNTOLD_WINDOWS);
      if (sentAt !== undefined && now - sentAt < windowMs) continue;
      marks += fold.marks.size;
      if (due.length > 0 && marks > MARKS_PER_SLICE_MAX) break;
      due.push(fold);
    }
    return due;
  }

  private async journalFolds(folds: readonly Fold[]): Promise<void> {
    if (folds.length === 0) return;
    const now = performance.now();
    for (const { conversationId, marks } of folds) {
      this.folds.delete(conversationId);
      this.marksWaiting -= marks.size;
      this.sentAt.delete(conversationId);
      this.sentAt.set(conversationId, now);
    }
    const submittedAt = Date.now();
    const records = folds.map((fold) => this.recordOf(fold, submittedAt));
    folds.forEach((fold, i) => this.expectOutcome(fold, (records[i] as CommandRecord).commandId));
    try {
      await this.log.append(records);
    } catch (error) {
      for (const fold of folds) this.refusedByLog(fold, error);
      for (const { commandId } of records) this.replies.cancel(commandId);
    }
  }

  private recordOf({ conversationId, marks }: Fold, submittedAt: number): CommandRecord {
    return {
      version: COMMAND_RECORD_VERSION,
      commandId: this.journal.nextCommandId(),
      conversationId,
      actorId: '',
      origin: { processId: this.replies.processId, connectionId: null },
      command: { type: 'advance-marks', marks: [...marks.values()] },
      submittedAt,
    };
  }

  private expectOutcome(fold: Fold, commandId: string): void {
    if (fold.waiters.length === 0) return;
    void this.replies.expect(commandId, this.limits.sendWaitMs).then((outcome) => {
      if (outcome) this.settle(fold, outcome);
      else this.runOut(fold, commandId);
    });
  }

  private settle({ conversationId, waiters }: Fold, outcome: Outcome): void {
    const marks = new Map(outcome.kind === 'marked' ? outcome.marks.map((mark) => [mark.userId, mark]) : []);
    for (const { userId, resolve, reject } of waiters) {
      const mark = marks.get(userId);
      if (mark) {
        this.furthestOf(conversationId, userId).readSeq = mark.readSeq;
        resolve(mark);
      } else if (outcome.kind === 'refused') reject(new DomainError(outcome.code, outcome.detail));
      else reject(noSuchConversation());
    }
  }

  private runOut(fold: Fold, commandId: string): void {
    // Marks that nobody has decided yet go into the next window; those on their way may still be decided.
    if (this.log.withdraw(commandId)) this.putBack(fold);
    for (const { reject } of fold.waiters) reject(storeUnavailable('The mark is not stored yet'));
  }

  private refusedByLog(fold: Fold, error: unknown): void {
    this.putBack(fold);
    for (const { reject } of fold.waiters.splice(0)) reject(error);
  }

  /** Marks are facts: they are kept for the next window, as far as there is room. */
  private putBack({ conversationId, marks, urgent }: Fold): void {
    for (const mark of marks.values()) {
      if (this.marksWaiting >= MARKS_WAITING_MAX) this.furthest.delete(`${conversationId}${mark.userId}`);
      else this.merge(conversationId, mark).urgent ||= urgent;
    }
  }
}

function furtherOf(one: MemberMarks, other: MemberMarks): MemberMarks {
  const delivered = further(one.delivered, other.delivered);
  const read = further(one.read, other.read);
  return { userId: one.userId, ...(delivered ? { delivered } : {}), ...(read ? { read } : {}) };
}

function further(one: Mark | undefined, other: Mark | undefined): Mark | undefined {
  if (!one || !other) return one ?? other;
  return other.seq > one.seq ? other : one;
}
