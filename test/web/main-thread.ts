import type { Browser, Page } from 'playwright-core';

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Of complete events: the thread's own processor time in microseconds. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

export interface MainThreadTasks {
  readonly count: number;
  /** Milliseconds of processor time that the longest one took. */
  readonly longestMs: number;
}

/**
 * Measures the tasks of a page's main thread while something is done. It counts the processor time that the thread had,
 * not the time that went by: on a busy machine a task that is interrupted takes long and costs nothing more.
 */
export async function measureTasks(browser: Browser, page: Page, work: () => Promise<void>): Promise<MainThreadTasks> {
  await browser.startTracing(page, { categories: ['toplevel', 'disabled-by-default-devtools.timeline'] });
  await work();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const threads = traceEvents.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const isMain = (event: TraceEvent): boolean => threads.some(({ pid, tid }) => pid === event.pid && tid === event.tid);
  const tasks = traceEvents.filter((event) => event.name.endsWith('RunTask') && event.ph === 'X' && isMain(event));
  const durations = tasks.map(({ tdur = 0 }) => tdur / 1_000);
  return { count: durations.length, longestMs: Math.max(0, ...durations) };
}
