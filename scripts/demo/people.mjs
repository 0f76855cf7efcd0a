export const PASSWORD = 'parley-demo';
/** Who whoever tries the demo is. */
export const GUEST = { username: 'sam', displayName: 'Sam Guest' };
export const CAST = [
  { username: 'ada', displayName: 'Ada Lovelace' },
  { username: 'ben', displayName: 'Ben Okafor' },
  { username: 'cleo', displayName: 'Cleo Marin' },
];
/** Requests of the seeding that are under way at once. */
const SENDS_AT_ONCE = 16;

const HISTORY = [
  'Morning all',
  'The night run went through without a single retry',
  'Nice. I am looking at the slow page again',
  'Which one?',
  'The one with the big table. It loads every row, and nobody scrolls below the tenth',
  'Then let us load ten',
  'Too simple, I like it',
  'Can somebody look over my change before lunch?',
  'I will, give me half an hour',
  'Done. Two small remarks, otherwise fine',
  'Thanks, both are fair',
  'By the way, the coffee machine is back',
];

/** Signs everybody up. @returns a client for each of the cast, and one for the guest, by user name */
export async function signUpAll({ signUp, memoryStore }, url, onFault) {
  const people = {};
  for (const { username, displayName } of [...CAST, GUEST]) {
    const account = { url, username, displayName, password: PASSWORD, store: memoryStore(), onFault };
    people[username] = await signUp(account);
  }
  return people;
}

/** Makes the conversations that the guest finds, with something in them. @returns the lively one's id */
export async function seed(people, tokens, url, messages) {
  const { ada, ben, cleo, sam } = people;
  const all = [ada, ben, cleo, sam].map(({ userId }) => userId);
  if (messages > 0) {
    const long = await ada.createGroup('The long history', all.slice(1));
    await fill(url, long.id, [tokens.ada, tokens.ben, tokens.cleo], messages);
  }
  const hike = await cleo.createGroup('Sunday hike', [ben.userId, sam.userId]);
  await say(hike, 'Who is in for Sunday? I thought of the ridge path, about four hours');
  const question = await say(await ben.conversation(hike.id), 'In! Shall I bring the stove?');
  await hike.react(question, '🔥');
  const answer = await say(hike, 'Yes please. Train at 8:12, platform 3', { replyToMessageId: question });
  await (await ben.conversation(hike.id)).react(answer, '👍');
  const direct = await ada.direct(sam.userId);
  await say(direct, 'Hi Sam, good to have you here');
  await say(direct, 'Write me something: I answer');
  const room = await ada.createGroup('Engine room', all.slice(1));
  const speakers = [ada, ben, cleo];
  for (const [i, line] of HISTORY.entries()) {
    await say(await speakers[i % speakers.length].conversation(room.id), line);
  }
  return room.id;
}

/** Sends and waits until it is stored. @returns its messageId */
export async function say(conversation, content, options) {
  const clientMsgId = await conversation.send(content, options);
  return new Promise((done, fail) => {
    const check = (items) => {
      const item = items.find((one) => one.clientMsgId === clientMsgId);
      if (item?.messageId == null && item?.status !== 'failed') return;
      // The listener is known only after the first call.
      queueMicrotask(() => stop());
      if (item.status === 'failed') fail(new Error(item.failure?.detail));
      else done(item.messageId);
    };
    const stop = conversation.subscribe(check);
  });
}

/** Many messages, some at once, so that ten thousand take seconds. */
async function fill(url, conversationId, tokens, count) {
  let next = 1;
  const worker = async () => {
    for (let i = next++; i <= count; i = next++) {
      const answer = await fetch(`${url}/v1/conversations/${conversationId}/messages`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${tokens[Math.floor(i / 3) % tokens.length]}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ content: `${i}. ${HISTORY[i % HISTORY.length]}`, clientMsgId: crypto.randomUUID() }),
        signal: AbortSignal.timeout(30_000),
      });
      if (!answer.ok) throw new Error(`The server answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: SENDS_AT_ONCE }, worker));
}
