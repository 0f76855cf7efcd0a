import { describe, expect, it } from 'vitest';
import { EventBudget, EXCESS_EVENTS_MAX, EXCESS_SECONDS_MAX, type Budgeted } from './event-budget.js';

const FROM = 1_700_000_000_000;
const burst = (budget: EventBudget, at: number, count: number): Budgeted[] =>
  Array.from({ length: count }, () => budget.take(at, 50));
const allowed = (taken: Budgeted[]): number => taken.filter((one) => one === 'allowed').length;

describe('the budget of a socket', () => {
  it('allows fifty events at once and refuses the next', () => {
    expect(allowed(burst(new EventBudget(), FROM, 60))).toBe(50);
  });

  it('counts bursts on both sides of a second together', () => {
    const budget = new EventBudget();
    budget.take(FROM, 50);
    expect(allowed(burst(budget, FROM + 990, 49))).toBe(49);
    expect(allowed(burst(budget, FROM + 1_010, 50))).toBeLessThanOrEqual(2);
  });

  it('lets fifty a second pass for ever', () => {
    const budget = new EventBudget();
    const taken = Array.from({ length: 5_000 }, (_, n) => budget.take(FROM + n * 20, 50));
    expect(allowed(taken)).toBe(5_000);
  });

  it('forgives a single burst', () => {
    const budget = new EventBudget();
    expect(burst(budget, FROM, 1_000)).not.toContain('persistent');
    expect(budget.take(FROM + 5_000, 50)).toBe('allowed');
    expect(burst(budget, FROM + 5_000, 1_000)).not.toContain('persistent');
  });

  it('calls it persistent after seconds above the limit, or thousands of refusals on end', () => {
    const slow = new EventBudget();
    const seconds = Array.from({ length: EXCESS_SECONDS_MAX + 2 }, (_, n) => burst(slow, FROM + n * 1_000, 120));
    expect(seconds[EXCESS_SECONDS_MAX - 1]).not.toContain('persistent');
    expect(seconds[EXCESS_SECONDS_MAX + 1]).toContain('persistent');
    expect(burst(new EventBudget(), FROM, EXCESS_EVENTS_MAX + 60).at(-1)).toBe('persistent');
  });

  it('survives a clock that steps back', () => {
    const budget = new EventBudget();
    burst(budget, FROM, 60);
    expect(budget.take(FROM - 3_600_000, 50)).toBe('allowed');
  });
});
