import { FAIL_POINTS, type FailPoint, FailPoints } from '@parley/domain';

/** Ends the process as a power cut would (SIGKILL) when it reaches a place in a batch's life for the nth time. */
export class KillAtFailPoint extends FailPoints {
  private left: number;

  private constructor(
    private readonly point: FailPoint,
    times: number,
  ) {
    super();
    this.left = times;
  }

  /** @param text `after-commit:17`: the seventeenth time; null when it does not say so */
  static parse(text: string): KillAtFailPoint | null {
    const [name, times = '1'] = text.split(':');
    const point = FAIL_POINTS.find((candidate) => candidate === name);
    return point && /^[1-9]\d{0,8}$/.test(times) ? new KillAtFailPoint(point, Number(times)) : null;
  }

  override reach(point: FailPoint): void {
    if (point === this.point && --this.left === 0) process.kill(process.pid, 'SIGKILL');
  }
}
