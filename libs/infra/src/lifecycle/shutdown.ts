import { withDeadline } from '@parley/domain';

/**
 * The order in which a process ends. Nothing new comes in before what is under way is finished, and nothing is closed
 * while something still needs it.
 */
export const SHUTDOWN_PHASES = [
  /** Not ready any more; the listener closes; sockets are told `closing`; requests that have begun are answered. */
  'stop_accepting',
  /** Marks that are still gathered become commands. */
  'flush_receipts',
  /** Commands in the log are decided, stored, broadcast and answered. */
  'finish_commands',
  /** The owners stop and give their leases back, so that another process need not wait for their end. */
  'stop_pipeline',
  /** Everything else that Nest knows: hooks of modules, timers, the remains of the HTTP server. */
  'close_application',
  /** Kafka, Cassandra, Redis: the hooks of modules say goodbye through them, of sessions for one. */
  'close_engines',
  'close_pools',
  'stop_postgres',
  /** What the steps before it still needed: the lock of the data folder, the port for operators, traces. */
  'let_go',
] as const;
export type ShutdownPhase = (typeof SHUTDOWN_PHASES)[number];

interface ShutdownStep {
  readonly phase: ShutdownPhase;
  readonly name: string;
  readonly timeoutMs: number;
  readonly run: () => void | Promise<void>;
}

export interface ShutdownLog {
  info(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface ShutdownReport {
  /** Names of the steps that threw or did not end in their time. */
  readonly failed: readonly string[];
}

/**
 * The orderly end of a process. Whoever opens something adds the step that closes it, to a phase; the steps of a phase
 * run side by side, the phases one after the other. Each step has its own bound, all of them together another. A step
 * that throws or hangs is logged and passed over: a stop that never ends would be ended by kill -9, which skips all
 * that is left.
 */
export class Shutdown {
  private readonly steps: ShutdownStep[] = [];
  private running: Promise<ShutdownReport> | undefined;

  constructor(private readonly log: ShutdownLog) {}

  /** @throws Error when the shutdown has begun: the step would never run */
  at(phase: ShutdownPhase, name: string, timeoutMs: number, run: ShutdownStep['run']): this {
    if (this.running) throw new Error(`The shutdown has begun: ${name} comes too late to be closed by it.`);
    this.steps.push({ phase, name, timeoutMs, run });
    return this;
  }

  /** Runs the steps once, however often it is called; never rejects, and ends within about `totalMs` of the first call. */
  run(totalMs: number): Promise<ShutdownReport> {
    this.running ??= this.runPhases(Date.now() + totalMs);
    return this.running;
  }

  private async runPhases(deadline: number): Promise<ShutdownReport> {
    const failed: string[] = [];
    for (const phase of SHUTDOWN_PHASES) {
      const steps = this.steps.filter((step) => step.phase === phase);
      await Promise.all(
        steps.map(async (step) => {
          if (!(await this.runStep(step, deadline))) failed.push(step.name);
        }),
      );
    }
    return { failed };
  }

  private async runStep({ phase, name, timeoutMs, run }: ShutdownStep, deadline: number): Promise<boolean> {
    const began = Date.now();
    // Past the deadline the rest is still begun: what can be closed at once is better closed than left open.
    const leftMs = Math.max(Math.min(timeoutMs, deadline - began), 0);
    const outcome = await withDeadline(outcomeOf(run), leftMs, (): Outcome => 'late');
    const fields = { phase, step: name, durationMs: Date.now() - began };
    if (outcome === 'done') this.log.info(fields, 'shutdown step done');
    else if (outcome === 'late') this.log.error(fields, 'shutdown step did not end in its time, going on');
    else this.log.error({ ...fields, err: outcome.error }, 'shutdown step failed, going on');
    return outcome === 'done';
  }
}

type Outcome = 'done' | 'late' | { error: unknown };

async function outcomeOf(run: ShutdownStep['run']): Promise<Outcome> {
  try {
    await run();
    return 'done';
  } catch (error) {
    return { error };
  }
}
