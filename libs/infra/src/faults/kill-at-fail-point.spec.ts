import { afterEach, describe, expect, it, vi } from 'vitest';
import { KillAtFailPoint } from './kill-at-fail-point.js';

describe('a fail point', () => {
  afterEach(() => vi.restoreAllMocks());

  it('kills the process without warning, at the nth time that it is reached', () => {
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
    const failPoints = KillAtFailPoint.parse('after-commit:2');
    failPoints?.reach('after-commit');
    failPoints?.reach('after-decide');
    expect(kill).not.toHaveBeenCalled();
    failPoints?.reach('after-commit');
    expect(kill).toHaveBeenCalledExactlyOnceWith(process.pid, 'SIGKILL');
  });

  it.each(['', 'after-lunch:1', 'after-commit:0', 'after-commit:x'])('is not named by %j', (text) => {
    expect(KillAtFailPoint.parse(text)).toBeNull();
  });
});
