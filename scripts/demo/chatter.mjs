import { setTimeout as pause } from 'node:timers/promises';
import { CAST } from './people.mjs';

/** Lively at first, so that there is something to see; then slower, and at last only answers. */
const LIVELY_LINES = 12;
const LINES_MAX = 500;
const LIVELY_PAUSE_MS = 2_500;
const CALM_PAUSE_MS = 20_000;

const LINES = [
  'The new build is up, have a look',
  'Starts in under a second here',
  'Mine too. What did you change?',
  'It reads the index first and the rest when it is asked for',
  'Of course. Why did we ever do it the other way round',
  'History 🙂',
  'I pulled the network cable in the middle of a send, by the way',
  'And?',
  'It waited, and went out once when I plugged it in again',
  'Once is the right number',
  'Lunch at half past twelve?',
  'Make it one, I am in the middle of something',
];
const ANSWERS = [
  'Good point',
  'Tell me more',
  'I will look into it this afternoon',
  'Ha, I thought the same',
  'Could you write that into the notes?',
  'Agreed. Let us try it',
];
const REACTIONS = ['👍', '🎉', '😄', '👀'];

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const between = (from, to) => from + Math.random() * (to - from);

/** People who talk in the lively room, read what is written, and answer the guest wherever it writes. */
export function startChatter(people, roomId, guestId, onFault) {
  const ending = new AbortController();
  const { signal } = ending;
  const cast = CAST.map(({ username }) => people[username]);
  const guarded = (work) =>
    work.catch((fault) => {
      if (!signal.aborted) onFault(fault);
    });

  async function write(client, conversationId, content) {
    const conversation = await client.conversation(conversationId);
    conversation.setTyping();
    await pause(between(900, 2_200), undefined, { signal });
    await conversation.send(content);
  }

  async function talk() {
    const members = cast.length;
    for (let i = 0; i < LINES_MAX; i++) {
      await pause(
        i < LIVELY_LINES ? between(0.5, 1.5) * LIVELY_PAUSE_MS : between(0.5, 1.5) * CALM_PAUSE_MS,
        undefined,
        {
          signal,
        },
      );
      await write(cast[i % members], roomId, LINES[i % LINES.length]);
    }
  }

  /** One client's eyes: reads what is new in its conversations, and answers the guest if it is its turn. */
  function watch(client, index) {
    const seen = new Map();
    return client.on('conversations', (all) => {
      for (const { conversationId, type, lastMessage } of all) {
        if (!lastMessage || seen.get(conversationId) === lastMessage.messageId) continue;
        const isFirst = !seen.has(conversationId);
        seen.set(conversationId, lastMessage.messageId);
        if (lastMessage.senderId === client.userId) continue;
        const isToAnswer =
          lastMessage.senderId === guestId &&
          !isFirst &&
          (type === 'direct' || lastMessage.seq % cast.length === index);
        void guarded(read(client, conversationId, lastMessage.messageId, isToAnswer));
      }
    });
  }

  async function read(client, conversationId, messageId, isToAnswer) {
    await pause(between(400, 1_500), undefined, { signal });
    const conversation = await client.conversation(conversationId);
    conversation.markRead(messageId);
    if (!isToAnswer) return;
    if (Math.random() < 0.4) await conversation.react(messageId, pick(REACTIONS));
    await write(client, conversationId, pick(ANSWERS));
  }

  const stops = cast.map((client, index) => watch(client, index));
  void guarded(talk());
  return () => {
    ending.abort();
    for (const stop of stops) stop();
  };
}
