import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../conversation/decision.js';
import type { Replies } from './replies.port.js';

export interface RepliesUnderTest {
  /** Two processes; the same instance twice where only one can exist. */
  waiting: Replies;
  answering: Replies;
  close?: () => Promise<void> | void;
}

const CHANGED: Outcome = { kind: 'changed', rev: 7 };
const LONG_MS = 20_000;
const SHORT_MS = 30;

/** What every reply port keeps to. */
export function repliesContract(name: string, make: () => Promise<RepliesUnderTest>): void {
  describe(`replies: ${name}`, () => {
    const opened: RepliesUnderTest[] = [];
    const open = async (): Promise<RepliesUnderTest> => {
      const made = await make();
      opened.push(made);
      return made;
    };
    afterEach(async () => {
      for (const { close } of opened.splice(0)) await close?.();
    });

    it('brings each outcome to the command that waits for it', async () => {
      const { waiting, answering } = await open();
      const sent: Outcome = { kind: 'sent', messageId: '12', seq: 1, rev: 2, at: 5, duplicate: false };
      const both = Promise.all([waiting.expect('a', LONG_MS), waiting.expect('b', LONG_MS)]);
      answering.send(waiting.processId, [
        { commandId: 'b', outcome: CHANGED },
        { commandId: 'a', outcome: sent },
      ]);
      expect(await both).toEqual([sent, CHANGED]);
    });

    it('answers null when no outcome comes in time', async () => {
      const { waiting } = await open();
      expect(await waiting.expect('a', SHORT_MS)).toBeNull();
    });

    it('is not disturbed by replies that nobody expects', async () => {
      const { waiting, answering } = await open();
      const expected = waiting.expect('a', LONG_MS);
      answering.send('no-such-process', [{ commandId: 'a', outcome: { kind: 'settings' } }]);
      answering.send(waiting.processId, [{ commandId: 'unknown', outcome: { kind: 'settings' } }]);
      answering.send(waiting.processId, [{ commandId: 'a', outcome: CHANGED }]);
      expect(await expected).toEqual(CHANGED);
    });

    it('hands a late outcome to whoever asked for it, once', async () => {
      const { waiting, answering } = await open();
      const late = vi.fn<(outcome: Outcome) => void>();
      expect(await waiting.expect('a', SHORT_MS, late)).toBeNull();
      answering.send(waiting.processId, [{ commandId: 'a', outcome: CHANGED }]);
      await vi.waitFor(() => expect(late).toHaveBeenCalledWith(CHANGED));
      answering.send(waiting.processId, [{ commandId: 'a', outcome: CHANGED }]);
      const next = waiting.expect('b', LONG_MS);
      answering.send(waiting.processId, [{ commandId: 'b', outcome: CHANGED }]);
      await next;
      expect(late).toHaveBeenCalledTimes(1);
    });

    it('does not call an outcome late that came in time', async () => {
      const { waiting, answering } = await open();
      const late = vi.fn<(outcome: Outcome) => void>();
      const expected = waiting.expect('a', LONG_MS, late);
      answering.send(waiting.processId, [{ commandId: 'a', outcome: CHANGED }]);
      expect(await expected).toEqual(CHANGED);
      expect(late).not.toHaveBeenCalled();
    });

    it('ends a cancelled expectation with null, at once and for good', async () => {
      const { waiting, answering } = await open();
      const late = vi.fn<(outcome: Outcome) => void>();
      const cancelled = waiting.expect('a', LONG_MS, late);
      waiting.cancel('a');
      expect(await cancelled).toBeNull();
      const next = waiting.expect('b', LONG_MS);
      answering.send(waiting.processId, [
        { commandId: 'a', outcome: CHANGED },
        { commandId: 'b', outcome: CHANGED },
      ]);
      await next;
      expect(late).not.toHaveBeenCalled();
    });

    it('keeps 5,000 commands apart whose time-outs end together', async () => {
      const { waiting, answering } = await open();
      const ids = Array.from({ length: 5_000 }, (_, i) => `c${i}`);
      const outcomes = Promise.all(ids.map((id) => waiting.expect(id, 1_000)));
      const answered = ids.filter((_, i) => i % 2 === 0);
      answering.send(
        waiting.processId,
        answered.map((commandId) => ({ commandId, outcome: CHANGED })),
      );
      expect((await outcomes).map((outcome) => outcome !== null)).toEqual(ids.map((_, i) => i % 2 === 0));
    });
  });
}
