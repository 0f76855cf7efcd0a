import type { TimelineItem } from '@parley/sdk';
import { isSameDay } from './times.js';

/** Messages of one sender that follow within this time are shown as one group. */
const GROUP_GAP_MS = 5 * 60_000;

/** Whether two neighbours belong to one group: the name stands above its first, the picture beside its last. */
export function areGrouped(earlier: TimelineItem | undefined, later: TimelineItem | undefined): boolean {
  if (!earlier || !later || earlier.senderId !== later.senderId) return false;
  const gap = Date.parse(later.timestamp) - Date.parse(earlier.timestamp);
  return gap <= GROUP_GAP_MS && isSameDay(earlier.timestamp, later.timestamp);
}
