import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchPlatform } from './platform.js';

/** As much of a page as is listened to. */
class Page {
  visibilityState = 'visible';
  private readonly target = new EventTarget();
  readonly addEventListener = (name: string, listener: () => void) => this.target.addEventListener(name, listener);
  readonly removeEventListener = (name: string, listener: () => void) =>
    this.target.removeEventListener(name, listener);
  happens(name: string): void {
    this.target.dispatchEvent(new Event(name));
  }
}

let page: Page;
let told: (string | boolean)[];
let end: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  page = new Page();
  told = [];
  vi.stubGlobal('document', page);
  vi.stubGlobal('addEventListener', page.addEventListener);
  vi.stubGlobal('removeEventListener', page.removeEventListener);
  end = watchPlatform({ wake: () => told.push('wake'), active: (isActive) => told.push(isActive) });
});
afterEach(() => {
  end();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('in a browser', () => {
  it('nobody is active after a minute without a sign of life, and somebody is again at the next one', () => {
    expect(told).toEqual([true]);
    vi.advanceTimersByTime(50_000);
    page.happens('pointermove');
    vi.advanceTimersByTime(50_000);
    expect(told).toEqual([true]);
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([true, false]);
    page.happens('keydown');
    expect(told).toEqual([true, false, true]);
  });

  it('nobody looks at a hidden page, and one that is shown again looks after its connection at once', () => {
    page.visibilityState = 'hidden';
    page.happens('visibilitychange');
    page.happens('pointermove');
    expect(told).toEqual([true, false]);
    page.visibilityState = 'visible';
    page.happens('visibilitychange');
    expect(told).toEqual([true, false, true, 'wake']);
  });

  it('the network’s coming back is told, and nothing after the end', () => {
    page.happens('online');
    expect(told).toEqual([true, 'wake']);
    end();
    for (const name of ['online', 'pageshow', 'visibilitychange', 'keydown']) page.happens(name);
    vi.advanceTimersByTime(100_000);
    expect(told).toEqual([true, 'wake']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('elsewhere', () => {
  it('nothing is watched and no timer runs', () => {
    end();
    vi.unstubAllGlobals();
    watchPlatform({ wake: () => told.push('wake'), active: (isActive) => told.push(isActive) })();
    expect(vi.getTimerCount()).toBe(0);
  });
});
