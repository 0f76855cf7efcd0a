import { describe, expect, it } from 'vitest';
import { checkHistory, RULES } from './checker.js';
import { AWAY, goodHistory, MESSAGES } from './good-history.js';
import { all, alter, drop, type Mutant } from './history-alterations.js';
import { arrivalAtCat, lateLeft, mutants, rejoined } from './history-mutants.js';
import { faultFigures, proofFigures, proofGaps } from './proof.js';
import { leavesAfterItsSend, refusedWhileAway } from './send-mutants.js';

describe('the no-loss checker', () => {
  it('finds nothing in a good history', () => {
    expect(checkHistory(goodHistory())).toEqual([]);
  });

  it.each<[string, Mutant]>([
    [
      'is shown messages before it hears that it is back',
      alter(
        'delivery',
        ({ device, message }) => device === 'cat-1' && message.seq === AWAY.backFrom,
        (e) => [lateLeft, arrivalAtCat(AWAY.backFrom), rejoined, e],
      ),
    ],
    [
      'hears of its going when it may be back already',
      all(
        drop('left', ({ device }) => device === 'cat-1'),
        drop('joined', ({ visibleFromSeq }) => visibleFromSeq === AWAY.backFrom),
        alter(
          'returning',
          () => true,
          (e) => [e, lateLeft, rejoined],
        ),
      ),
    ],
    [
      'hears by a sync that it is gone, before what it was sent earlier has come',
      alter(
        'left',
        ({ device }) => device === 'cat-1',
        (e) => [{ ...e, bySync: true }, arrivalAtCat(AWAY.after)],
      ),
    ],
    ['is away when it sends, and sends again when it is back', refusedWhileAway],
    ['leaves when its send has its place, and hears only of the refusal of its repeat', leavesAfterItsSend],
  ])('lets pass a member that %s', (_, change) => {
    expect(checkHistory(change(goodHistory()))).toEqual([]);
  });

  it.each(mutants)('finds that %s (%s)', (_, rule, mutate) => {
    const rules = checkHistory(mutate(goodHistory())).map((violation) => violation.rule);
    expect(rules).toContain(rule);
  });

  it('has a mutant for every rule, and more than twenty', () => {
    expect(new Set(mutants.map(([, rule]) => rule))).toEqual(new Set(RULES));
    expect(mutants.length).toBeGreaterThan(20);
  });

  it('takes a time that grows with the history and not with its square', () => {
    const once = goodHistory();
    const many = Array.from({ length: 200 }, (_, i) =>
      once.map((event) => ('conversation' in event ? { ...event, conversation: `room${i}` } : event)),
    ).flat();
    const began = performance.now();
    checkHistory(many);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

describe('a run that proves nothing', () => {
  it('is told from one that proves something', () => {
    const figures = proofFigures(goodHistory());
    expect(figures).toMatchObject({
      acks: MESSAGES,
      acksAcrossFaults: 1,
      acksDuringFaults: 0,
      accepted: 4,
      duplicatesSent: 3,
      duplicatesFound: 2,
      removals: 1,
    });
    expect(proofGaps(figures, { acks: MESSAGES, duplicatesSent: 1, faults: ['kill'] })).toEqual([]);
    expect(proofGaps(figures, { acks: MESSAGES + 1, gapsFilled: 1, faults: ['kill', 'cut'] })).toEqual([
      `acks: ${MESSAGES} of at least ${MESSAGES + 1}`,
      'gapsFilled: 0 of at least 1',
      'cut had no effect',
    ]);
  });
});

describe('the faults of a run', () => {
  it('are told one by one, with what was answered meanwhile and when after', () => {
    const [kill] = faultFigures(goodHistory());
    expect(kill).toEqual({ name: 'kill', brokenMs: 20, acks: 0, firstAckMs: 20 });
    const answered = alter(
      'unknown',
      ({ reason }) => reason === 'disconnected',
      ({ conversation, user, clientMsgId }) => [
        { type: 'stored', conversation, user, clientMsgId, seq: 21, messageId: '1168', duplicate: false },
      ],
    );
    expect(faultFigures(answered(goodHistory()))).toEqual([{ ...kill, acks: 1 }]);
    expect(proofFigures(answered(goodHistory()))).toMatchObject({ acks: MESSAGES, acksDuringFaults: 1 });
    expect(faultFigures(drop('fault', ({ phase }) => phase === 'effect')(goodHistory()))).toEqual([]);
  });
});
