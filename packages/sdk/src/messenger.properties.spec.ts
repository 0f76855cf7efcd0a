import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACK_WINDOW_MS } from './ack-window.js';
import { GAP_WAIT_MS } from './sync-engine.js';
import { NO_FAULTS, type Faults } from './testing/faulty-network.js';
import { MessengerTrial, type Recovery, type TrialStep } from './testing/messenger-trial.js';

const RUNS = Number(process.env['SDK_PROPERTY_RUNS'] ?? 150);

const some = fc.nat({ max: 1_000 });
/** Beside each kind of step, how often it comes. */
// prettier-ignore
const weights: Record<TrialStep['do'], number> = {
  post: 6, postMany: 1, send: 5, edit: 4, editMany: 1, delete: 2, react: 2, readBy: 2, receivedBy: 2, meet: 3,
  rename: 1, member: 2, role: 1, leave: 1, goBack: 1, wait: 7,
  cut: 2, connect: 3, reload: 1, crash: 1, heads: 1, resync: 1,
  older: 3, newer: 3, latest: 1, jump: 4, lookUp: 4, markRead: 2, editByApi: 2,
};
const stepOf = (name: string): fc.Arbitrary<TrialStep> =>
  fc.record({ do: fc.constant(name as TrialStep['do']), much: some, device: fc.nat({ max: 1 }) });
const steps = fc.oneof(...Object.entries(weights).map(([name, weight]) => ({ weight, arbitrary: stepOf(name) })));
/** What happens where nothing is wrong with the network. */
const changes = fc.oneof(
  ...['post', 'send', 'edit', 'delete', 'react', 'editByApi', 'rename', 'member', 'role', 'readBy', 'receivedBy'].map(
    stepOf,
  ),
  ...['markRead', 'meet', 'wait', 'wait', 'wait'].map(stepOf),
);
/** In hundredths: numbers with a point would nearly all be as good as nothing. */
const chanceUpTo = (most: number) => fc.integer({ min: 0, max: most }).map((hundredths) => hundredths / 100);
const faults: fc.Arbitrary<Faults> = fc.record({
  lostEvent: chanceUpTo(50),
  doubledEvent: chanceUpTo(50),
  lostRequest: chanceUpTo(20),
  lostAnswer: chanceUpTo(20),
  accepted: chanceUpTo(50),
  delayMsMax: fc.integer({ min: 0, max: 2_500 }),
});

describe('over any network and in any order of events, the timelines of two devices', () => {
  it('equal the history of the server at the end, and have no hole, repeat or jump before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { maxLength: 50 }),
        faults,
        fc.integer(),
        fc.nat({ max: 400 }),
        fc.boolean(),
        fc.constantFrom<Recovery>('reconnection', 'heads', 'message'),
        async (script, network, seed, before, isBadFromTheStart, recovery) => {
          const trial = new MessengerTrial(seed, before);
          if (isBadFromTheStart) trial.setFaults(network);
          await trial.start();
          trial.setFaults(network);
          for (const step of script) await trial.take(step);
          await trial.recover(recovery);

          trial.expectEqual();
          trial.jumpToLatest();
          trial.expectEqual();
          trial.expectSettled(recovery === 'reconnection');
          await trial.stop();
          await trial.expectNothingKept();
          expect(trial.devices.flatMap(({ violations }) => violations)).toEqual([]);
        },
      ),
      { numRuns: RUNS },
    );
  }, 300_000);

  it('are told every change live, without a request, where events only overtake each other by less than 200 ms', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(changes, { minLength: 1, maxLength: 60 }),
        fc.integer(),
        fc.integer({ min: 0, max: GAP_WAIT_MS - 10 }),
        async (script, seed, delayMsMax) => {
          const trial = new MessengerTrial(seed, 60);
          await trial.start();
          await trial.clock.advance(5_000);
          for (const { client } of trial.devices) client.asked.length = 0;
          trial.setFaults({ ...NO_FAULTS, delayMsMax, doubledEvent: 0.3 });
          const beganMs = trial.clock.now();
          for (const step of script) await trial.take(step);
          await trial.clock.advance(2_000);
          // One in each window at most: they are gathered.
          const acksMax = 1 + (trial.clock.now() - beganMs) / ACK_WINDOW_MS;
          for (const { client } of trial.devices) {
            const names = client.asked.map(({ name }) => name);
            expect(names.filter((name) => !['ack', 'send_message', 'read_receipt'].includes(name))).toEqual([]);
            expect(names.filter((name) => name === 'ack').length).toBeLessThanOrEqual(acksMax);
          }
          trial.expectEqual();
          trial.expectSettled(true);
          await trial.stop();
        },
      ),
      { numRuns: RUNS },
    );
  }, 300_000);
});
