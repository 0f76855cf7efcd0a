import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogOutput } from './log-output.js';

const WAIT = { timeout: 10_000, interval: 20 };
const lineOf = (number: number): string => `${number} ${'x'.repeat(1_000)}\n`;

describe('log lines', () => {
  let folder: string;
  let opened: number[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'parley-log-'));
    opened = [];
  });
  afterEach(() => {
    for (const fd of opened) closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  function opening(path: string, flags: number): number {
    const fd = openSync(path, flags);
    opened.push(fd);
    return fd;
  }

  /** Its writer is told at once that there is no room; there is for 64 KiB. */
  function pipe(): { fd: number; read: () => string } {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const [fd, reader] = [constants.O_RDWR, constants.O_RDONLY].map((way) =>
      opening(path, way | constants.O_NONBLOCK),
    ) as [number, number];
    const buffer = Buffer.alloc(1_000_000);
    const read = (): string => {
      try {
        return buffer.toString('utf8', 0, readSync(reader, buffer));
      } catch {
        return '';
      }
    };
    return { fd, read };
  }

  it('that a reader does not take wait for it, in their order, and beyond the bound they are lost', async () => {
    const { fd, read } = pipe();
    const output = new LogOutput({ fd, unwrittenBytesMax: 200_000 });
    const flushed = vi.fn<() => void>();
    for (let number = 0; number < 1_000; number += 1) output.write(lineOf(number));
    output.flush(flushed);
    let text = '';
    await vi.waitFor(() => {
      text += read();
      expect(flushed).toHaveBeenCalled();
    }, WAIT);
    text += read();
    const lines = text.split('\n').slice(0, -1);
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.length).toBeLessThan(250);
    lines.forEach((line, index) => expect(`${line}\n`).toBe(lineOf(index)));

    output.write(lineOf(7));
    await vi.waitFor(() => expect(read()).toBe(lineOf(7)), WAIT);
  });

  it('that a full disk does not take keep neither the process nor its end', async () => {
    const output = new LogOutput({ fd: opening('/dev/full', constants.O_WRONLY), unwrittenBytesMax: 10_000 });
    const flushed = vi.fn<() => void>();
    output.write(lineOf(1));
    output.flush(flushed);
    await new Promise((resolve) => setTimeout(resolve, 50));
    output.write(lineOf(2));
    const began = performance.now();
    output.flushSync();
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(flushed).not.toHaveBeenCalled();
  });

  it('that still wait at the end of the process are written then, if they can be', async () => {
    const { fd, read } = pipe();
    const output = new LogOutput({ fd, unwrittenBytesMax: 200_000 });
    const all = Array.from({ length: 100 }, (_, number) => lineOf(number));
    for (const line of all) output.write(line);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = read();
    expect(before.length).toBeLessThan(all.join('').length);
    output.flushSync();
    expect(before + read()).toBe(all.join(''));
  });
});
