/** The places in a batch's life where a crash must lose, double and renumber nothing. */
export const FAIL_POINTS = ['after-decide', 'during-commit', 'after-commit', 'after-broadcast'] as const;
export type FailPoint = (typeof FAIL_POINTS)[number];

/** Called at each of them. Crash tests end the process there; otherwise nothing happens. */
export abstract class FailPoints {
  abstract reach(point: FailPoint): void;
}

export class NoFailPoints extends FailPoints {
  override reach(): void {}
}
