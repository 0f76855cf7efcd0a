export interface Readiness {
  readonly ready: boolean;
  /**
   * Names of what is missing, for operators only: it tells a stranger how the system is built. A process may be ready
   * without some of it.
   */
  readonly missing: readonly string[];
}

/** Whether this process lives and can do its work. */
export abstract class Health {
  /**
   * False when the process should be replaced: it answers so late that it does no good.
   * Says nothing about databases, which a restart would not bring back.
   */
  abstract live(): Promise<boolean>;

  /** Whether requests should be sent here. Answers within a few seconds, whatever hangs, and never throws. */
  abstract readiness(): Promise<Readiness>;
}
