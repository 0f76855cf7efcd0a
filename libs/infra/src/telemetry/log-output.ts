import { write, writeSync } from 'node:fs';

/** How long the last lines are tried for at the end of the process, where nothing else can go on meanwhile. */
const LAST_TRY_MS = 500;
const RETRY_MS = 100;

interface LogOutputOptions {
  /** An open file descriptor. */
  readonly fd: number;
  /** Bytes that may wait to be written; lines beyond them are dropped. */
  readonly unwrittenBytesMax: number;
}

/**
 * Writes log lines to a descriptor that may be anything: a terminal that is closed, a pipe whose reader stands still or
 * has gone, a file on a disk that is full. None of these may stop or end the process: lines wait within a bound for as
 * long as they cannot be written, and those beyond it are lost.
 */
export class LogOutput {
  private waiting: string[] = [];
  private waitingBytes = 0;
  /** The rest of what is being written. */
  private current: Buffer = Buffer.alloc(0);
  private isWriting = false;
  private retry: NodeJS.Timeout | undefined;
  private flushed: (() => void)[] = [];

  constructor(private readonly options: LogOutputOptions) {}

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.current.length + this.waitingBytes + bytes > this.options.unwrittenBytesMax) return;
    this.waiting.push(line);
    this.waitingBytes += bytes;
    if (!this.isWriting && !this.retry) this.writeOn();
  }

  /** Calls back once everything is written; never, where that cannot be done. */
  flush(done: () => void): void {
    if (this.isEmpty()) done();
    else this.flushed.push(done);
  }

  /** For the end of the process: waits half a second at most. */
  flushSync(): void {
    // It has had its time already, and a second attempt at the same bytes would block as the first does.
    if (this.isWriting) return;
    const deadline = performance.now() + LAST_TRY_MS;
    while (this.next() && performance.now() < deadline) {
      try {
        this.current = this.current.subarray(writeSync(this.options.fd, this.current));
      } catch (error) {
        if (!isBusy(error)) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      }
    }
  }

  private isEmpty(): boolean {
    return this.current.length + this.waitingBytes === 0;
  }

  /** @returns false when nothing is left to write */
  private next(): boolean {
    if (this.current.length === 0) {
      this.current = Buffer.from(this.waiting.join(''));
      this.waiting = [];
      this.waitingBytes = 0;
    }
    return this.current.length > 0;
  }

  private writeOn(): void {
    this.retry = undefined;
    if (!this.next()) {
      for (const done of this.flushed.splice(0)) done();
      return;
    }
    this.isWriting = true;
    write(this.options.fd, this.current, (error, written) => {
      this.isWriting = false;
      if (error) {
        this.retry = setTimeout(() => this.writeOn(), RETRY_MS).unref();
        return;
      }
      this.current = this.current.subarray(written);
      this.writeOn();
    });
  }
}

function isBusy(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EAGAIN';
}
