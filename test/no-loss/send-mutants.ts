import type { Rule } from './checker.js';
import { ACCEPTED } from './good-history.js';
import type { Happening } from './history.js';
import { all, alter, type Mutant, set } from './history-alterations.js';

const ofBob = { conversation: 'room', user: 'bob', clientMsgId: 'extra' } as const;
const tryOfBob: Happening[] = [
  { type: 'invoke', ...ofBob, hash: 'h' },
  { type: 'accepted', ...ofBob },
];
const refusalOfBob = (isFinal: boolean): Happening => ({ type: 'rejected', ...ofBob, code: 'not_found', isFinal });

/** Puts these in after a message was stored, long after anybody was away. */
const afterwards = (...happenings: Happening[]): Mutant =>
  alter(
    'stored',
    ({ seq }) => seq === 50,
    (event) => [event, ...happenings],
  );
/** The same while cat is away, and bob is not. */
const whileCatIsAway = (...happenings: Happening[]): Mutant =>
  alter(
    'returning',
    () => true,
    (event) => [...happenings, event],
  );

const isSentAgain = ({ seq }: { seq: number }): boolean => seq === ACCEPTED.sentAgainSeq;

/** Lets bob be away for a moment around this, as somebody whose messages need not be hidden. */
export const refusedWhileAway: Mutant = all(
  alter(
    'accepted',
    ({ user }) => user === 'bob',
    (event) => [
      { type: 'removing', conversation: event.conversation, user: event.user },
      event,
      { type: 'returned', conversation: event.conversation, user: event.user, visibleFromSeq: 1 },
    ],
  ),
  set('stored', isSentAgain, { duplicate: false }),
);

/** It is stored, and its sender has left when the repeat asks. */
export const leavesAfterItsSend: Mutant = alter('stored', isSentAgain, ({ conversation, user, clientMsgId }) => [
  { type: 'removing', conversation, user },
  { type: 'rejected', conversation, user, clientMsgId, code: 'not_found', isFinal: false },
  { type: 'returned', conversation, user, visibleFromSeq: 1 },
]);

/** What is wrong with each answer to a send, and the rule that must find it. */
export const sendMutants: [string, Rule, Mutant][] = [
  ['a send that was accepted is not there', 'P1', afterwards(...tryOfBob)],
  ['a send that was accepted is refused to a member', 'P1', afterwards(...tryOfBob, refusalOfBob(true))],
  [
    'a send that was accepted is refused for the absence of another',
    'P1',
    whileCatIsAway(...tryOfBob, refusalOfBob(true)),
  ],
  ['a send is refused to a member', 'P1', afterwards({ type: 'invoke', ...ofBob, hash: 'h' }, refusalOfBob(true))],
  [
    'a send that was accepted is lost, and its repeat refused in an absence that began later',
    'P1',
    afterwards(
      ...tryOfBob,
      { type: 'unknown', ...ofBob, reason: 'silence' },
      { type: 'removing', conversation: ofBob.conversation, user: ofBob.user },
      { type: 'invoke', ...ofBob, hash: 'h' },
      refusalOfBob(false),
    ),
  ],
  [
    'a send that was accepted in an absence ends without a word',
    'P1',
    alter(
      'rejected',
      ({ clientMsgId }) => clientMsgId === 'silent',
      ({ conversation, user, clientMsgId }) => [
        { type: 'unknown', conversation, user, clientMsgId, reason: 'silence' },
      ],
    ),
  ],
  [
    'a send that was accepted is not there when it is sent again',
    'P1',
    set('stored', isSentAgain, { duplicate: false }),
  ],
  [
    'a send that was stored is new when it is sent again',
    'P2',
    alter('stored', isSentAgain, (event) => [event, { ...event, duplicate: false }]),
  ],
  [
    'a send that was refused for good is there',
    'P4',
    alter('stored', isSentAgain, ({ conversation, user, clientMsgId, ...event }) => [
      { type: 'rejected', conversation, user, clientMsgId, code: 'not_found', isFinal: true },
      { ...event, conversation, user, clientMsgId },
    ]),
  ],
];
