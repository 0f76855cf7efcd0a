/** Words are English like everything else here; hours are written as this browser writes them. */
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat('en', { weekday: 'long' });
const shortWeekday = new Intl.DateTimeFormat('en', { weekday: 'short' });
const dayOfYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long' });
const shortDay = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short' });
const fullDay = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });
const whole = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short' });
const DAY_MS = 86_400_000;

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

/** Whole days between two times by the calendar of this browser; summer time makes some days longer than others. */
function daysBetween(earlier: number, later: number): number {
  return Math.round((startOfDay(later) - startOfDay(earlier)) / DAY_MS);
}

export function isSameDay(a: string, b: string): boolean {
  return startOfDay(Date.parse(a)) === startOfDay(Date.parse(b));
}

export function clockTime(timestamp: string): string {
  return clock.format(Date.parse(timestamp));
}

export function wholeTime(timestamp: string): string {
  return whole.format(Date.parse(timestamp));
}

/** For the line between two days. */
export function dayName(timestamp: string, now = Date.now()): string {
  const time = Date.parse(timestamp);
  const days = daysBetween(time, now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return weekday.format(time);
  return new Date(time).getFullYear() === new Date(now).getFullYear() ? dayOfYear.format(time) : fullDay.format(time);
}

/** As short as a list needs it. */
export function listTime(timestamp: string, now = Date.now()): string {
  const time = Date.parse(timestamp);
  const days = daysBetween(time, now);
  if (days <= 0) return clock.format(time);
  if (days === 1) return 'Yesterday';
  return days < 7 ? shortWeekday.format(time) : shortDay.format(time);
}
