const SECOND_MS = 1_000;
const ROUNDING = 1e-6;
/** A socket that stays above its budget for this many seconds, or that was refused this many events on end, is closed. */
export const EXCESS_SECONDS_MAX = 5;
export const EXCESS_EVENTS_MAX = 2_000;

export type Budgeted = 'allowed' | 'refused' | 'persistent';

/**
 * At most so many events in any second, by two counters that slide: bursts at both sides of a full second's edge count
 * together. Tells a burst, which is only refused, from an excess that goes on.
 */
export class EventBudget {
  private windowFrom = 0;
  private count = 0;
  private countBefore = 0;
  private refusedInWindow = false;
  private excessSeconds = 0;
  private excessEvents = 0;

  take(now: number, eventsPerSecond: number): Budgeted {
    const age = now - this.windowFrom;
    if (age >= SECOND_MS || age < 0) this.roll(now, age);
    const before = this.countBefore * Math.max(0, 1 - (now - this.windowFrom) / SECOND_MS);
    // The part of an event is not counted, or an even stream at the limit itself would be refused one in fifty.
    if (Math.max(0, Math.ceil(before - ROUNDING) - 1) + this.count < eventsPerSecond) {
      this.count++;
      return 'allowed';
    }
    this.refusedInWindow = true;
    this.excessEvents++;
    return this.excessSeconds >= EXCESS_SECONDS_MAX || this.excessEvents >= EXCESS_EVENTS_MAX
      ? 'persistent'
      : 'refused';
  }

  private roll(now: number, age: number): void {
    const adjacent = age >= 0 && age < 2 * SECOND_MS;
    this.countBefore = adjacent ? this.count : 0;
    this.excessSeconds = adjacent && this.refusedInWindow ? this.excessSeconds + 1 : 0;
    if (this.excessSeconds === 0) this.excessEvents = 0;
    this.windowFrom = adjacent ? this.windowFrom + SECOND_MS : now;
    this.count = 0;
    this.refusedInWindow = false;
  }
}
