import type { HistoryRecorder } from './history.js';

/** What a run is about: a server, or many that look like one to their clients. */
export interface ServerUnderTest {
  readonly url: string;
  /** What it said last, for whoever has to find out why a run failed. */
  readonly lastWords: string;
  /** Of each start after a fault. */
  readonly readyMs: readonly number[];
  start(): Promise<void>;
  /** Does this to it, and mends what does not mend itself. @param effect called when the fault has struck for certain */
  strike(fault: string, effect: () => void): Promise<void>;
  /** In order; resolves with the exit code, of the worst where there are many. */
  stop(): Promise<number | null>;
  /** After `stop`: what its stores hold, read past the server. */
  recordStores(history: HistoryRecorder): Promise<{ deadLetters: number }>;
  /** Leaves nothing behind, whatever state it is in. */
  destroy(): Promise<void>;
}

export async function until(isSo: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
