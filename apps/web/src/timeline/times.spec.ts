import { expect, it } from 'vitest';
import { dayName, isSameDay, listTime } from './times.js';

const at = (...parts: [number, number, number, number, number]) => new Date(...parts);
const now = at(2026, 10, 23, 9, 30);
const iso = (date: Date) => date.toISOString();

it.each([
  [at(2026, 10, 23, 0, 0), 'Today'],
  [at(2026, 10, 22, 23, 59), 'Yesterday'],
  [at(2026, 10, 20, 12, 0), 'Friday'],
  [at(2026, 10, 16, 12, 0), 'November 16'],
  [at(2025, 10, 22, 12, 0), 'November 22, 2025'],
])('names the day of %s', (date, name) => {
  expect(dayName(iso(date), now.getTime())).toBe(name);
});

it('counts days by the calendar and not by hours', () => {
  expect(isSameDay(iso(at(2026, 10, 23, 0, 0)), iso(at(2026, 10, 23, 23, 59)))).toBe(true);
  expect(isSameDay(iso(at(2026, 10, 22, 23, 59)), iso(at(2026, 10, 23, 0, 0)))).toBe(false);
});

it('is short in a list, and says the hour for a clock that runs ahead', () => {
  expect(listTime(iso(at(2026, 10, 22, 8, 0)), now.getTime())).toBe('Yesterday');
  expect(listTime(iso(at(2026, 10, 20, 8, 0)), now.getTime())).toBe('Fri');
  expect(listTime(iso(at(2026, 9, 2, 8, 0)), now.getTime())).toBe('Oct 2');
  expect(listTime(iso(at(2026, 10, 23, 9, 31)), now.getTime())).toMatch(/31/);
});
