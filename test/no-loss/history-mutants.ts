import { FIRST_ACK_MS_MAX, QUIET_AFTER_MS, type Rule } from './checker.js';
import { AWAY, EDIT_REV, goodHistory, MESSAGES } from './good-history.js';
import type { Happening, HistoryEvent, SeenMessage } from './history.js';
import { all, alter, drop, isA, type Mutant, type Of, set, twice } from './history-alterations.js';
import { sendMutants } from './send-mutants.js';

const toBob = (seq: number) => (event: Of<'delivery'>) => event.device === 'bob-1' && event.message.seq === seq;
const swap = (messages: readonly SeenMessage[], i: number, j: number): SeenMessage[] => {
  const swapped = [...messages];
  [swapped[i], swapped[j]] = [messages[j] as SeenMessage, messages[i] as SeenMessage];
  return swapped;
};

const messageOf = (seq: number): SeenMessage => {
  const isIt = isA('row', (row) => row.seq === seq);
  const { messageId, senderId, clientMsgId, hash } = goodHistory().find(isIt) as Of<'row'>;
  return { seq, messageId, senderId, clientMsgId, hash };
};
const place = { conversation: 'room', user: 'cat' };
export const arrivalAtCat = (seq: number): Happening => ({
  type: 'arrival',
  device: 'cat-1',
  ...place,
  message: messageOf(seq),
});
export const lateLeft: Happening = { type: 'left', device: 'cat-1', ...place };
export const rejoined: Happening = { type: 'joined', device: 'cat-1', ...place, visibleFromSeq: AWAY.backFrom };
const secondRemoval: Happening[] = [
  { type: 'removing', ...place },
  { type: 'left', device: 'cat-1', ...place },
  { type: 'removed', ...place, lastSeq: MESSAGES },
];
const sendOf = (seq: number): Happening[] => {
  const isIt = (event: HistoryEvent) =>
    (event.type === 'invoke' || event.type === 'stored') && event.clientMsgId === `m${seq}`;
  return goodHistory().filter(isIt);
};

/** What is wrong with each, and the rule that must find it. */
export const mutants: [string, Rule, Mutant][] = [
  ['a row is lost', 'P1', drop('row', ({ seq }) => seq === 17)],
  [
    'the last row is lost, and the head with it',
    'P1',
    all(
      drop('row', ({ seq }) => seq === MESSAGES),
      set('head', () => true, { lastSeq: MESSAGES - 1 }),
    ),
  ],
  ['a row has another body', 'P1', set('row', ({ seq }) => seq === 17, { hash: 'other' })],
  [
    'a reader is shown another body',
    'P1',
    alter('delivery', toBob(17), (e) => [{ ...e, message: { ...e.message, hash: 'other' } }]),
  ],
  [
    'an answered message was stored under another id',
    'P1',
    set('row', ({ seq }) => seq === 17, { messageId: '99999' }),
  ],
  [
    'a retry is answered with another seq',
    'P2',
    alter(
      'stored',
      ({ seq }) => seq === 21,
      (e) => [e, { ...e, seq: 22 }],
    ),
  ],
  [
    'a message is stored twice',
    'P2',
    alter(
      'row',
      ({ seq }) => seq === MESSAGES,
      (e) => [e, { ...e, seq: MESSAGES + 1, messageId: '99999' }],
    ),
  ],
  ['a row is stored twice at one place', 'P3', twice('row', ({ seq }) => seq === 17)],
  ['the seqs have a hole', 'P3', set('head', () => true, { lastSeq: MESSAGES + 1 })],
  ['the revs have a hole', 'P3', drop('event', ({ rev }) => rev === 17)],
  ['a rev comes twice', 'P3', twice('event', ({ rev }) => rev === 17)],
  [
    'the last rev is lost',
    'P3',
    alter(
      'head',
      () => true,
      (e) => [{ ...e, lastRev: e.lastRev + 1 }],
    ),
  ],
  [
    'a phantom is stored',
    'P4',
    alter(
      'row',
      ({ seq }) => seq === MESSAGES,
      (e) => [e, { ...e, seq: MESSAGES + 1, clientMsgId: 'phantom' }],
    ),
  ],
  [
    'a phantom arrives',
    'P4',
    alter(
      'arrival',
      ({ message }) => message.seq === 17,
      (e) => [{ ...e, message: { ...e.message, clientMsgId: 'phantom' } }],
    ),
  ],
  [
    'a rejected send is stored',
    'P4',
    alter(
      'row',
      ({ seq }) => seq === 33,
      (e) => [{ ...e, clientMsgId: 'refused', senderId: 'cat', hash: 'refused' }],
    ),
  ],
  [
    'two observers see two messages at a seq',
    'P5',
    alter('delivery', toBob(17), (e) => [{ ...e, message: { ...e.message, messageId: '99999' } }]),
  ],
  ['a delivery comes twice', 'P6', twice('delivery', toBob(17))],
  ['a delivery is skipped', 'P6', drop('delivery', toBob(17))],
  [
    'two deliveries are swapped',
    'P6',
    all(
      drop('delivery', toBob(18)),
      alter('delivery', toBob(17), (e) => [{ ...e, message: messageOf(18) }, e]),
    ),
  ],
  [
    'a device starts below its join',
    'P6',
    set('joined', ({ visibleFromSeq }) => visibleFromSeq === AWAY.backFrom, { visibleFromSeq: AWAY.backFrom - 1 }),
  ],
  ['the tail is lost on one device', 'P7', drop('delivery', toBob(MESSAGES))],
  [
    'a send gets a lower seq than one that was answered before it',
    'P8',
    all(
      drop('invoke', ({ clientMsgId }) => clientMsgId === 'm17'),
      drop('stored', ({ seq }) => seq === 17),
      alter(
        'stored',
        ({ seq }) => seq === 18,
        (e) => [e, ...sendOf(17)],
      ),
    ),
  ],
  [
    'a page lacks what was answered before',
    'P9',
    alter(
      'page',
      ({ messages }) => messages[0]?.seq === 30,
      (e) => [{ ...e, messages: e.messages.slice(1), limit: 9 }],
    ),
  ],
  [
    'a head goes back',
    'P9',
    alter(
      'view',
      ({ lastSeq }) => lastSeq === 30,
      (e) => [{ ...e, lastSeq: 20, lastReadSeq: 20 }],
    ),
  ],
  [
    'a page has a hole',
    'P10',
    alter(
      'page',
      ({ messages }) => messages[0]?.seq === 30,
      (e) => [{ ...e, messages: e.messages.toSpliced(4, 1), limit: 9 }],
    ),
  ],
  [
    'a page is out of order',
    'P10',
    alter(
      'page',
      ({ messages }) => messages[0]?.seq === 30,
      (e) => [{ ...e, messages: swap(e.messages, 3, 4) }],
    ),
  ],
  [
    'a page is short before its end',
    'P10',
    alter(
      'page',
      ({ messages }) => messages[0]?.seq === 30,
      (e) => [{ ...e, messages: e.messages.slice(0, 5) }],
    ),
  ],
  [
    'a page says that it is the end and is not',
    'P10',
    set('page', ({ messages }) => messages[0]?.seq === 30, { hasMore: false }),
  ],
  ['unread is wrong', 'P11', set('view', ({ lastSeq }) => lastSeq === 30, { unreadCount: 1 })],
  [
    'a receipt goes back',
    'P12',
    set('mark', ({ user, messageId }) => user === 'bob' && messageId === '1240', { messageId: '1040' }),
  ],
  ['a read mark is lost', 'P12', set('final-mark', ({ user }) => user === 'cat', { readSeq: MESSAGES - 1 })],
  [
    'a removed member receives',
    'P13',
    alter(
      'arrival',
      ({ device, message }) => device === 'bob-1' && message.seq === 33,
      (e) => [e, { ...e, device: 'cat-1', user: 'cat' }],
    ),
  ],
  [
    'a removed member receives what was written before its removal',
    'P13',
    alter(
      'left',
      ({ device }) => device === 'cat-1',
      (e) => [e, arrivalAtCat(AWAY.after)],
    ),
  ],
  [
    'a member that may be back receives of its absence',
    'P13',
    alter(
      'returning',
      () => true,
      (e) => [e, arrivalAtCat(AWAY.backFrom - 1)],
    ),
  ],
  [
    'a member that was away before is removed again, and receives',
    'P13',
    alter(
      'final-mark',
      ({ user }) => user === 'ada',
      (e) => [...secondRemoval, arrivalAtCat(MESSAGES), e],
    ),
  ],
  ...[AWAY.goneRev, AWAY.goneRev + 1, AWAY.backRev].map((rev): [string, Rule, Mutant] => [
    `a member that is back is told of the change ${rev} of its absence`,
    'P13',
    alter(
      'joined',
      ({ visibleFromSeq }) => visibleFromSeq === AWAY.backFrom,
      (e) => [e, { type: 'told', device: 'cat-1', ...place, rev }],
    ),
  ]),
  [
    'a new member is told of a change from before its join',
    'P13',
    all(
      set('event', ({ rev }) => rev === 1, { added: ['ada', 'bob'] }),
      set('event', ({ rev }) => rev === EDIT_REV + 1, { added: ['cat'] }),
    ),
  ],
  [
    'a removed member reads what was written since',
    'P13',
    alter(
      'arrival',
      ({ device, message }) => device === 'bob-1' && message.seq === 33,
      (e) => [
        e,
        {
          ...e,
          type: 'page',
          id: 900,
          user: 'cat',
          order: 'newest-first',
          beside: 34,
          limit: 1,
          visibleFromSeq: 1,
          hasMore: true,
          messages: [e.message],
        },
      ],
    ),
  ],
  [
    'a member that is back reads of its absence',
    'P13',
    alter(
      'arrival',
      ({ device, message }) => device === 'bob-1' && message.seq === 50,
      (e) => [
        e,
        {
          ...e,
          type: 'page',
          id: 900,
          user: 'cat',
          order: 'newest-first',
          beside: 34,
          limit: 1,
          visibleFromSeq: 1,
          hasMore: true,
          messages: [{ ...e.message, seq: 33, messageId: '1264', clientMsgId: 'm33', senderId: 'bob', hash: 'h33' }],
        },
      ],
    ),
  ],
  [
    'nothing is stored after the fault for too long',
    'P14',
    (events) =>
      events.map((e) =>
        e.at > 500 &&
        isA('fault', () => true)(e) === false &&
        events.findIndex(isA('fault', ({ phase }) => phase === 'end')) < events.indexOf(e)
          ? { ...e, at: e.at + FIRST_ACK_MS_MAX }
          : e,
      ),
  ],
  [
    'sends still fail long after the fault',
    'P14',
    alter(
      'stored',
      ({ seq }) => seq === 50,
      (e) => [{ ...e, type: 'unknown', reason: 'time-out', at: e.at + QUIET_AFTER_MS } as never, e],
    ),
  ],
  ['a row has another rev than the stream', 'P15', set('row', ({ seq }) => seq === 17, { rev: 3 })],
  ['an edit is undone', 'P15', set('row', ({ seq }) => seq === 10, { hash: 'h10' })],
  [
    'a row was never streamed',
    'P15',
    alter(
      'event',
      ({ seq }) => seq === 17,
      ({ conversation, rev }) => [{ type: 'event', conversation, rev }],
    ),
  ],
  ...sendMutants,
];
