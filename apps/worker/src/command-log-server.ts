import { type CommandLog, type LogRecord, LogTruncated, type PartitionRunner } from '@parley/domain';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';

/** The pattern under which batches reach their handler. */
export const COMMAND_BATCH = 'command-batch';
/** Bounds a batch: what one commit holds, and how long deciding it may keep the event loop. */
export const BATCH_RECORDS_MAX = 1_000;
const IDLE_WAIT_MS = 500;
const TROUBLE_PAUSE_MS = 500;

/**
 * Nest transport that consumes the command log: it hands batches of records, in order and one after another, to the
 * handler of `COMMAND_BATCH`. While a batch commits, the next one gathers; the handler returns when its batch is on its
 * way. Nothing is acknowledged to the log: positions live with the read models.
 */
export class CommandLogServer extends Server implements CustomTransportStrategy {
  private running: Promise<void> = Promise.resolve();
  private stopping = false;
  private waitsForLog = false;
  private handler: MessageHandler | null = null;

  constructor(
    private readonly log: CommandLog,
    private readonly runner: PartitionRunner,
    /** The log has lost records: no owner may go on. */
    private readonly onLost: (error: Error) => void = () => {},
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.runner.start().then(
      () => {
        this.running = this.consume();
        callback();
      },
      (error: unknown) => callback(error),
    );
  }

  /** Finishes what the log holds and the batch in flight, and gives the partitions up. May be called twice. */
  async close(): Promise<void> {
    this.stopping = true;
    await this.running;
    await this.runner.stop();
  }

  on(): never {
    throw new Error('The command log has no events to listen to');
  }

  unwrap<T>(): T {
    return this.log as T;
  }

  private async consume(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.turn();
      } catch (error) {
        // A bug: the owner begins again from what is committed.
        this.runner.abandon('a turn of the log failed', error);
        await pause();
      }
    }
  }

  private async turn(): Promise<void> {
    await this.runner.settle();
    const records = await this.next();
    if (records.length > 0) await this.dispatch(records);
  }

  /** A log that cannot be read will be back: the partitions and what is known of them are kept meanwhile. */
  private async next(): Promise<LogRecord[]> {
    try {
      const reading = this.log.read(this.runner.positions(), BATCH_RECORDS_MAX, 0);
      // The next batch is still on its way here: what is committed need not wait for it.
      if (this.log.durableAt === 'append') this.runner.publish();
      let records = await reading;
      if (records.length === 0) {
        this.runner.publish();
        records = await this.log.read(this.runner.positions(), BATCH_RECORDS_MAX, IDLE_WAIT_MS);
      }
      if (this.waitsForLog) this.runner.resume();
      this.waitsForLog = false;
      return records;
    } catch (error) {
      if (error instanceof LogTruncated) this.onLost(error);
      this.waitsForLog = true;
      this.runner.waitForLog(error);
      await pause();
      return [];
    }
  }

  private async dispatch(records: LogRecord[]): Promise<void> {
    // Looked up once: Nest parses the pattern as JSON each time, and fails.
    const handler = (this.handler ??= this.getHandlerByPattern(COMMAND_BATCH));
    if (!handler) throw new Error(`Nothing handles ${COMMAND_BATCH}`);
    await lastValueFrom(this.transformToObservable(await handler(records)), { defaultValue: undefined });
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TROUBLE_PAUSE_MS));
}
