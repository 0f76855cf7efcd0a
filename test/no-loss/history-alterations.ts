import type { Happening, HistoryEvent } from './history.js';

type Type = HistoryEvent['type'];
export type Of<Name extends Type> = Extract<HistoryEvent, { type: Name }>;
/** A history with one thing wrong in it. */
export type Mutant = (events: HistoryEvent[]) => HistoryEvent[];

export const isA = <Name extends Type>(name: Name, matches: (event: Of<Name>) => boolean) => {
  return (event: HistoryEvent): boolean => event.type === name && matches(event as Of<Name>);
};

/** Changes the first event that matches, to events one after the other; a mutant that changes nothing is a mistake of this test. */
export function alter<Name extends Type>(
  name: Name,
  matches: (event: Of<Name>) => boolean,
  change: (event: Of<Name>) => readonly (Of<Name> | Happening)[],
): Mutant {
  return (events) => {
    const index = events.findIndex(isA(name, matches));
    if (index < 0) throw new Error(`There is no such ${name}`);
    const found = events[index] as Of<Name>;
    const changed = change(found).map((event, i) => ({ at: found.at + i / 1_000, ...event }) as HistoryEvent);
    return [...events.slice(0, index), ...changed, ...events.slice(index + 1)];
  };
}

export const set = <Name extends Type>(
  name: Name,
  matches: (event: Of<Name>) => boolean,
  fields: Partial<Of<Name>>,
): Mutant => alter(name, matches, (event) => [{ ...event, ...fields }]);
export const drop = <Name extends Type>(name: Name, matches: (event: Of<Name>) => boolean): Mutant =>
  alter(name, matches, () => []);
export const all =
  (...mutants: Mutant[]): Mutant =>
  (events) =>
    mutants.reduce((before, mutant) => mutant(before), events);
export const twice = <Name extends Type>(name: Name, matches: (event: Of<Name>) => boolean): Mutant =>
  alter(name, matches, (event) => [event, event]);
