/** What `doctor` found: a fact, and what to do about it where something is to be done. */
export interface Finding {
  what: string;
  /** Undefined: all is well. */
  advice?: string | undefined;
}

export const well = (what: string): Finding => ({ what });
export const problem = (what: string, advice: string): Finding => ({ what, advice });

/** A finding that is a problem where `isBad` says so. */
export function checked(isBad: boolean, what: string, advice: string): Finding {
  return isBad ? problem(what, advice) : well(what);
}

export function lineOf({ what, advice }: Finding): string {
  return advice === undefined ? `ok       ${what}` : `PROBLEM  ${what} ${advice}`;
}
