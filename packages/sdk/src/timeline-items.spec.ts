import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ModelServer } from './testing/model-server.js';
import { TimelineItems } from './timeline-items.js';
import { TimelineWindow } from './timeline-window.js';

const [ADA, BOB] = ['0190a6c4-0000-7000-8000-00000000000a', '0190a6c4-0000-7000-8000-00000000000b'];
const server = new ModelServer([ADA, BOB]);
for (let i = 1; i <= 20; i++) server.post(BOB, `message ${i}`, `bob-${i}`);
const windowOf = () => new TimelineWindow(server.messages, false, 0);

function collector(): () => void {
  setFlagsFromString('--expose_gc');
  return runInNewContext('gc') as () => void;
}

describe('the items of a timeline', () => {
  it('are the same list while nothing in it changes', () => {
    const items = new TimelineItems(ADA);
    const window = windowOf();
    const list = () => items.of(window, server.conversation(), window.items, [], []);
    const before = list();
    expect(before).toHaveLength(20);
    expect(list()).toBe(before);
  });

  it('go with what was shown', async () => {
    const collect = collector();
    const items = new TimelineItems(ADA);
    const listed = (): WeakRef<object> => {
      const window = windowOf();
      return new WeakRef(items.of(window, server.conversation(), window.items, [], []));
    };
    const list = listed();
    expect(list.deref()).toHaveLength(20);
    const isGone = (): boolean => (collect(), list.deref() === undefined);
    await expect.poll(isGone, { timeout: 10_000 }).toBe(true);
    expect(items.of(server, server.conversation(), [], [], [])).toEqual([]);
  });
});
