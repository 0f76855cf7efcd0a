import { beforeEach, describe, expect, it } from 'vitest';
import { Emitter } from './emitter.js';

const faults: unknown[] = [];
let emitter: Emitter<{ said: string }>;
let heard: string[];
beforeEach(() => {
  faults.length = 0;
  heard = [];
  emitter = new Emitter((fault) => faults.push(fault));
});

describe('listeners', () => {
  it('that throw or reject, at once or later, are told as faults and keep nothing from the others', async () => {
    emitter.on('said', () => {
      throw new Error('at once');
    });
    emitter.on('said', async () => Promise.reject(new Error('later')));
    emitter.on('said', (text) => void heard.push(text));
    emitter.emit('said', 'a');
    expect(heard).toEqual(['a']);
    await expect.poll(() => faults.map(String).sort()).toEqual(['Error: at once', 'Error: later']);
  });

  it('hear as often as they listen, and one ended subscription of a function leaves its others', () => {
    const hear = (text: string): void => void heard.push(text);
    emitter.on('said', hear);
    const end = emitter.on('said', hear);
    emitter.emit('said', 'a');
    end();
    end();
    emitter.emit('said', 'b');
    expect(heard).toEqual(['a', 'a', 'b']);
  });

  it('that another one takes out hear nothing more, and those that it adds hear of the next event', () => {
    const end = { second: (): unknown => null };
    emitter.on('said', () => {
      end.second();
      emitter.on('said', (text) => void heard.push(`added ${text}`));
    });
    end.second = emitter.on('said', (text) => void heard.push(`second ${text}`));
    emitter.emit('said', 'a');
    expect(heard).toEqual([]);
    emitter.emit('said', 'b');
    expect(heard).toEqual(['added b']);
  });
});
