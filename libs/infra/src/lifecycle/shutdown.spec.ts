import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endProcessInOrder } from './process-end.js';
import { Shutdown, SHUTDOWN_PHASES } from './shutdown.js';

const never = () => new Promise<void>(() => {});

function takes(ms: number, then: () => void = () => {}): () => Promise<void> {
  return () =>
    new Promise((resolve) => {
      setTimeout(() => {
        then();
        resolve();
      }, ms);
    });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a shutdown', () => {
  const log = { info: vi.fn<() => void>(), error: vi.fn<(fields: object, message: string) => void>() };
  beforeEach(() => {
    log.error.mockReset();
  });

  it('runs its phases one after the other, whatever the order in which the steps were added', async () => {
    const order: string[] = [];
    const shutdown = new Shutdown(log)
      .at('stop_postgres', 'postgres', 1_000, () => void order.push('postgres'))
      .at('close_pools', 'pool', 1_000, () => void order.push('pool'))
      .at(
        'stop_accepting',
        'listener',
        1_000,
        takes(300, () => order.push('listener')),
      )
      .at(
        'stop_pipeline',
        'pipeline',
        1_000,
        takes(10, () => order.push('pipeline')),
      );
    const report = shutdown.run(35_000);
    await vi.advanceTimersByTimeAsync(299);
    expect(order).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(await report).toEqual({ failed: [] });
    expect(order).toEqual(['listener', 'pipeline', 'pool', 'postgres']);
  });

  it('runs the steps of one phase side by side', async () => {
    const shutdown = new Shutdown(log);
    for (const name of ['listener', 'sockets', 'readiness']) shutdown.at('stop_accepting', name, 1_000, takes(500));
    const report = shutdown.run(35_000);
    await vi.advanceTimersByTimeAsync(500);
    expect(await report).toEqual({ failed: [] });
  });

  it('passes over a step that hangs, says which, and runs the later ones', async () => {
    const pool = vi.fn<() => void>();
    const report = new Shutdown(log)
      .at('stop_accepting', 'sockets', 2_000, never)
      .at('close_pools', 'pool', 1_000, pool)
      .run(35_000);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(pool).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await report).toEqual({ failed: ['sockets'] });
    expect(pool).toHaveBeenCalledOnce();
    expect(log.error).toHaveBeenCalledWith(
      expect.objectContaining({ step: 'sockets' }),
      expect.stringContaining('in its time'),
    );
  });

  it('passes over a step that throws, at once or later', async () => {
    const pool = vi.fn<() => void>();
    const report = new Shutdown(log)
      .at('flush_receipts', 'at once', 1_000, () => {
        throw new Error('x');
      })
      .at('finish_commands', 'later', 1_000, () => Promise.reject(new Error('y')))
      .at('close_pools', 'pool', 1_000, pool)
      .run(35_000);
    expect(await report).toEqual({ failed: ['at once', 'later'] });
    expect(pool).toHaveBeenCalledOnce();
  });

  it('ends at its total although every step hangs, and still begins each', async () => {
    const shutdown = new Shutdown(log);
    const begun: string[] = [];
    for (const phase of SHUTDOWN_PHASES) {
      shutdown.at(phase, phase, 10_000, () => {
        begun.push(phase);
        return never();
      });
    }
    let report: unknown;
    void shutdown.run(35_000).then((value) => (report = value));
    await vi.advanceTimersByTimeAsync(34_999);
    expect(report).toBeUndefined();
    // A timer's millisecond for each of the steps that are only begun.
    await vi.advanceTimersByTimeAsync(10);
    expect(report).toEqual({ failed: SHUTDOWN_PHASES });
    expect(begun).toEqual(SHUTDOWN_PHASES);
  });

  it('runs once, however often it is asked for, and takes no step any more', async () => {
    const step = vi.fn<() => void>();
    const shutdown = new Shutdown(log).at('close_pools', 'pool', 1_000, step);
    await Promise.all([shutdown.run(1_000), shutdown.run(1_000)]);
    await shutdown.run(1_000);
    expect(step).toHaveBeenCalledOnce();
    expect(() => shutdown.at('let_go', 'late', 1_000, step)).toThrow(/has begun/);
  });
});

describe('the end of a process', () => {
  function started(stop = takes(3_000)) {
    const events = new EventEmitter();
    const exit = vi.fn<(code: number) => void>();
    const bounds: number[] = [];
    const log = { info: vi.fn<() => void>(), error: vi.fn<(fields: object, message: string) => void>() };
    const { release, crash } = endProcessInOrder({
      process: Object.assign(events, { exit }),
      log,
      stop: async (totalMs) => {
        bounds.push(totalMs);
        await stop();
        return { failed: [] };
      },
      flush: async () => {},
      timeoutMs: 35_000,
      crashTimeoutMs: 5_000,
    });
    return { events, exit, bounds, log, release, crash };
  }

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'])('by %s is orderly and has exit code 0', async (signal) => {
    const { events, exit, bounds } = started();
    events.emit(signal);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(exit.mock.calls).toEqual([[0]]);
    expect(bounds).toEqual([35_000]);
  });

  it('by a second signal comes at once, with the code of that signal', async () => {
    const { events, exit, bounds } = started(never);
    events.emit('SIGTERM');
    await vi.advanceTimersByTimeAsync(10);
    events.emit('SIGINT');
    expect(exit.mock.calls).toEqual([[130]]);
    expect(bounds).toEqual([35_000]);
  });

  it('is not hurried by the same signal from the terminal and from npm, nor by the end of the terminal', async () => {
    const { events, exit } = started();
    events.emit('SIGINT');
    await vi.advanceTimersByTimeAsync(100);
    events.emit('SIGINT');
    events.emit('SIGHUP');
    await vi.advanceTimersByTimeAsync(2_899);
    expect(exit).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(exit.mock.calls).toEqual([[0]]);
  });

  it('comes at once when the same signal is sent again', async () => {
    const { events, exit } = started(never);
    events.emit('SIGINT');
    await vi.advanceTimersByTimeAsync(600);
    events.emit('SIGINT');
    expect(exit.mock.calls).toEqual([[130]]);
  });

  it.each(['uncaughtException', 'unhandledRejection'])(
    'by %s is logged, orderly under the shorter bound, and has exit code 1',
    async (event) => {
      const { events, exit, bounds, log } = started();
      const error = new Error('a bug');
      events.emit(event, error);
      await vi.advanceTimersByTimeAsync(3_000);
      expect(exit.mock.calls).toEqual([[1]]);
      expect(bounds).toEqual([5_000]);
      expect(log.error).toHaveBeenCalledWith({ err: error, event }, expect.any(String));
    },
  );

  it('by the loss of what it cannot work without is like that of a crash', async () => {
    const { crash, exit, bounds } = started();
    crash(new Error('the database server is gone'));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(exit.mock.calls).toEqual([[1]]);
    expect(bounds).toEqual([5_000]);
  });

  it('is not begun again by an error while stopping', async () => {
    const { events, exit, bounds } = started();
    events.emit('SIGTERM');
    events.emit('unhandledRejection', new Error('connection closed'));
    await vi.advanceTimersByTimeAsync(3_000);
    expect(exit.mock.calls).toEqual([[0]]);
    expect(bounds).toEqual([35_000]);
  });

  it('is nobody’s business after the listeners were taken away', () => {
    const { events, exit, bounds, release } = started();
    release();
    events.emit('SIGTERM');
    expect(exit).not.toHaveBeenCalled();
    expect(bounds).toEqual([]);
  });
});
