import { Health, type Readiness, withDeadline } from '@parley/domain';

const CHECK_TIMEOUT_MS = 2_000;
/** Asking faster than this gets the last answer: a public caller cannot turn readiness into load on the database. */
const ANSWER_KEPT_MS = 500;
/** A process whose event loop takes so long for one turn misses its leases and heartbeats anyway. */
const EVENT_LOOP_TURN_MS_MAX = 5_000;

/** Throws, or rejects, when the part cannot do its work now. */
export type HealthCheck = () => void | Promise<void>;

/** The parts this process needs, each registered under a name by whoever opens it. */
export class HealthChecks extends Health {
  private readonly checks = new Map<string, { check: HealthCheck; timeoutMs: number; required: boolean }>();
  private answer: { readonly since: number; readonly readiness: Promise<Readiness> } | undefined;
  private draining = false;

  constructor(
    private readonly eventLoopTurnMsMax = EVENT_LOOP_TURN_MS_MAX,
    private readonly answerKeptMs = ANSWER_KEPT_MS,
  ) {
    super();
  }

  /** @throws Error when the name is taken: one of the two parts would never be asked */
  register(name: string, check: HealthCheck, timeoutMs = CHECK_TIMEOUT_MS): void {
    this.add(name, { check, timeoutMs, required: true });
  }

  /**
   * A part that is missed but that this process can do without, in part or for a while: readiness names it and stays.
   * If all processes turned away for it, nobody would answer what can still be answered.
   * @throws Error when the name is taken
   */
  watch(name: string, check: HealthCheck, timeoutMs = CHECK_TIMEOUT_MS): void {
    this.add(name, { check, timeoutMs, required: false });
  }

  private add(name: string, part: { check: HealthCheck; timeoutMs: number; required: boolean }): void {
    if (this.checks.has(name)) throw new Error(`The health check ${name} is registered twice.`);
    this.checks.set(name, part);
    this.answer = undefined;
  }

  /** From now on this process is not ready: load balancers send nothing new here. The first step of a shutdown. */
  drain(): void {
    this.draining = true;
    this.answer = undefined;
  }

  override async live(): Promise<boolean> {
    const began = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    return performance.now() - began <= this.eventLoopTurnMsMax;
  }

  override readiness(): Promise<Readiness> {
    const now = performance.now();
    if (!this.answer || now - this.answer.since >= this.answerKeptMs)
      this.answer = { since: now, readiness: this.ask() };
    return this.answer.readiness;
  }

  /** Which parts can do their work now, by name, and under `process` whether this process is ready. */
  async parts(): Promise<Map<string, boolean>> {
    const { ready, missing } = await this.readiness();
    const parts = [...this.checks.keys()].map((name) => [name, !missing.includes(name)] as const);
    return new Map([...parts, ['process', ready]]);
  }

  private async ask(): Promise<Readiness> {
    if (this.draining) return { ready: false, missing: ['draining'] };
    const names = [...this.checks.keys()];
    const passed = await Promise.all(names.map((name) => this.passes(name)));
    const missing = names.filter((_, index) => !passed[index]);
    return { ready: !missing.some((name) => this.checks.get(name)?.required), missing };
  }

  private async passes(name: string): Promise<boolean> {
    const { check, timeoutMs } = this.checks.get(name)!;
    const asked = async (): Promise<boolean> => {
      await check();
      return true;
    };
    try {
      return await withDeadline(asked(), timeoutMs, () => false);
    } catch {
      return false;
    }
  }
}
