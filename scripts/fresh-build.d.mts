/** Builds when the sources changed since; returns the exit code of the build, 0 when none was needed. */
export function buildIfStale(): number;
