import type { HistoryEvent } from './history.js';

/** What a run went through; a run in which nothing happened proves nothing. */
export interface ProofFigures {
  readonly acks: number;
  /** Answers to sends that were under way when a fault struck. */
  readonly acksAcrossFaults: number;
  /** First answers between the moment in which a fault struck and its end. */
  readonly acksDuringFaults: number;
  /** Sends that were answered `accepted`, whatever came of them. */
  readonly accepted: number;
  readonly unknowns: number;
  /** Sends that came again with the same clientMsgId. */
  readonly duplicatesSent: number;
  /** Of them, those that were answered as known. */
  readonly duplicatesFound: number;
  readonly gapsFilled: number;
  readonly deliveries: number;
  readonly removals: number;
  readonly faultsWithEffect: readonly string[];
  readonly unknownReasons: Readonly<Record<string, number>>;
}

export function proofFigures(events: readonly HistoryEvent[]): ProofFigures {
  const open = new Map<string, 'before' | 'across'>();
  const figures = { acks: 0, acksAcrossFaults: 0, acksDuringFaults: 0, accepted: 0, unknowns: 0 };
  const repeats = { duplicatesSent: 0, duplicatesFound: 0 };
  const seen = { gapsFilled: 0, deliveries: 0, removals: 0 };
  const faultsWithEffect: string[] = [];
  const unknownReasons: Record<string, number> = {};
  const invoked = new Set<string>();
  let isBroken = false;
  for (const event of events) {
    if (event.type === 'invoke') {
      const key = `${event.conversation} ${event.user} ${event.clientMsgId}`;
      if (invoked.has(key)) repeats.duplicatesSent += 1;
      else open.set(key, 'before');
      invoked.add(key);
    } else if (event.type === 'stored') {
      const key = `${event.conversation} ${event.user} ${event.clientMsgId}`;
      if (open.has(key)) figures.acks += 1;
      if (open.has(key) && isBroken) figures.acksDuringFaults += 1;
      if (open.get(key) === 'across') figures.acksAcrossFaults += 1;
      if (event.duplicate) repeats.duplicatesFound += 1;
      open.delete(key);
    } else if (event.type === 'fault' && event.phase === 'effect') {
      faultsWithEffect.push(event.name);
      isBroken = true;
      for (const key of open.keys()) open.set(key, 'across');
    } else if (event.type === 'fault') isBroken = false;
    else if (event.type === 'accepted') figures.accepted += 1;
    else if (event.type === 'unknown') {
      figures.unknowns += 1;
      unknownReasons[event.reason] = (unknownReasons[event.reason] ?? 0) + 1;
    } else if (event.type === 'gap-filled') seen.gapsFilled += 1;
    else if (event.type === 'delivery') seen.deliveries += 1;
    else if (event.type === 'removed') seen.removals += 1;
  }
  return { ...figures, ...repeats, ...seen, faultsWithEffect, unknownReasons };
}

type Count = Exclude<keyof ProofFigures, 'faultsWithEffect' | 'unknownReasons'>;

export type ProofMinimum = Partial<Record<Count, number>> & {
  readonly faults: readonly string[];
};

/** What is missing for the run to prove something. */
export function proofGaps(figures: ProofFigures, { faults, ...least }: ProofMinimum): string[] {
  const tooFew = Object.entries(least).flatMap(([name, minimum]) => {
    const value = figures[name as Count];
    return value < minimum ? [`${name}: ${value} of at least ${minimum}`] : [];
  });
  const missing = faults.filter((name) => !figures.faultsWithEffect.includes(name));
  return [...tooFew, ...missing.map((name) => `${name} had no effect`)];
}

/** One fault of a run, as its clients felt it. */
export interface FaultFigures {
  readonly name: string;
  /** From the moment in which it struck until what it broke was started again. */
  readonly brokenMs: number;
  /** Answers `stored` meanwhile. */
  readonly acks: number;
  /** From the end of the fault to the next answer; null where none came. */
  readonly firstAckMs: number | null;
}

/** In the order in which they struck; one that did not is left out. */
export function faultFigures(events: readonly HistoryEvent[]): FaultFigures[] {
  const faults: FaultFigures[] = [];
  let struckAt: number | undefined;
  let endedAt: number | undefined;
  let acks = 0;
  for (const event of events) {
    if (event.type === 'fault') {
      if (event.phase === 'effect') [struckAt, acks] = [event.at, 0];
      if (event.phase === 'end' && struckAt !== undefined) {
        faults.push({ name: event.name, brokenMs: Math.round(event.at - struckAt), acks, firstAckMs: null });
        struckAt = undefined;
      }
      endedAt = event.phase === 'end' ? event.at : undefined;
    } else if (event.type === 'stored') {
      acks += 1;
      const last = faults.at(-1);
      if (last && endedAt !== undefined) {
        faults[faults.length - 1] = { ...last, firstAckMs: Math.round(event.at - endedAt) };
        endedAt = undefined;
      }
    }
  }
  return faults;
}
