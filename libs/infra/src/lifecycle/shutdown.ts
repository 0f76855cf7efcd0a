export interface ShutdownStep {
  readonly name: string;
  readonly timeoutMs: number;
  readonly run: () => void | Promise<void>;
}

export interface ShutdownLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ShutdownReport {
  /** Names of the steps that threw, hung, or were not reached before the end of the time. */
  readonly failed: readonly string[];
}

/**
 * The orderly end of a process: steps in a fixed order, each with its own bound, all of them under one. What a step
 * guards against is named by its place: nothing new comes in before what is under way is finished, and nothing is closed
 * while something still needs it. A step that throws or hangs is logged and passed over: a stop that never ends would be
 * ended by kill -9, which skips every later step.
 */
export class Shutdown {
  private readonly steps: ShutdownStep[] = [];
  private running: Promise<ShutdownReport> | undefined;

  constructor(private readonly log: ShutdownLog) {}

  /** Adds a step to be run after all that were added before it. */
  then(name: string, timeoutMs: number, run: ShutdownStep['run']): this {
    this.steps.push({ name, timeoutMs, run });
    return this;
  }

  /** Runs the steps once, however often it is called; never rejects, and ends within `totalMs` of the first call. */
  run(totalMs: number): Promise<ShutdownReport> {
    this.running ??= this.runSteps(Date.now() + totalMs);
    return this.running;
  }

  private async runSteps(deadline: number): Promise<ShutdownReport> {
    const failed: string[] = [];
    for (const { name, timeoutMs, run } of this.steps) {
      const began = Date.now();
      const allowedMs = Math.min(timeoutMs, deadline - began);
      // Past the deadline the rest is still begun: closing what can be closed at once is better than leaving it open.
      const outcome = await within(Math.max(allowedMs, 0), run);
      const fields = { step: name, durationMs: Date.now() - began };
      if (outcome === 'done') {
        this.log.info(fields, 'shutdown step done');
      } else {
        failed.push(name);
        if (outcome === 'late') this.log.error(fields, 'shutdown step did not end in its time, going on');
        else this.log.error({ ...fields, err: outcome.error }, 'shutdown step failed, going on');
      }
    }
    return { failed };
  }
}

type Outcome = 'done' | 'late' | { error: unknown };

async function within(timeoutMs: number, run: ShutdownStep['run']): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve('late'), timeoutMs);
  });
  const ended = (async (): Promise<Outcome> => {
    try {
      await run();
      return 'done';
    } catch (error) {
      return { error };
    }
  })();
  const outcome = await Promise.race([ended, late]);
  clearTimeout(timer);
  return outcome;
}
