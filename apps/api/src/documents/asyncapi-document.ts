import { CLIENT_EVENTS, HandshakeSchema, RefusalSchema, SERVER_EVENTS, SocketErrorSchema } from '@parley/contracts';
import { z } from 'zod';
import { EVENT_EXAMPLES } from './event-examples.js';
import { componentsOf, referenceTo, type JsonSchema } from './json-schemas.js';

export interface AsyncApiDocument {
  asyncapi: '3.0.0';
  info: JsonSchema;
  channels: { socket: { messages: Record<string, JsonSchema>; [part: string]: unknown } };
  operations: Record<string, JsonSchema>;
  components: { messages: Record<string, MessageObject>; schemas: Record<string, JsonSchema> };
  [part: string]: unknown;
}

export interface MessageObject {
  name: string;
  title: string;
  summary: string;
  payload: JsonSchema;
  examples: { name: string; payload: unknown }[];
}

const CHANNEL = '#/channels/socket';

/** What each event is for; an event of the contract without a sentence here does not compile. */
const CLIENT_SUMMARIES: Record<keyof typeof CLIENT_EVENTS, string> = {
  send_message: 'Sends a message. Repeat it with the same clientMsgId until it is answered.',
  edit_message: "Changes the text of one's own message.",
  delete_message: 'Deletes a message for everyone: its author, or an admin of the group.',
  react: 'Adds a reaction.',
  unreact: 'Takes a reaction back.',
  ack: 'This device has the message and all before it in its conversation.',
  read_receipt: "Moves the caller's read mark forward.",
  typing: 'Shows the others that the caller writes; ends by itself after 6 s.',
  sync: 'Asks what changed since the last time, and for messages behind cursors.',
  presence_subscribe:
    'Tells who of these users is online, and from then on what changes; at most 500 users for a socket.',
  presence_unsubscribe: 'Ends that for these users.',
  heartbeat: 'Every 30 s; a socket without any event for 95 s is closed.',
  authenticate: 'Renews the access token of this socket; it must be of the same user.',
};

const SERVER_SUMMARIES: Record<keyof typeof SERVER_EVENTS, string> = {
  new_message: 'A message for this device; comes again until it is acked.',
  ack: 'How a send that was answered `accepted` ended.',
  message_updated: 'A message was edited or deleted, or its reactions changed.',
  typing_indicator: 'A member writes, or has stopped.',
  delivery_receipt: 'A member has received everything up to this message.',
  read_receipt: 'A member has read everything up to this message.',
  presence_update: 'A user that this socket is subscribed to is online, idle or offline now.',
  conversation_created: 'The user has a new conversation, as this user sees it.',
  conversation_updated: 'A group has a new name.',
  members_changed: 'Members were added or removed, or have other roles.',
  conversation_removed: 'The user no longer belongs to it; nothing of it arrives after this.',
  heads: 'How far conversations have come, at least every 30 s; whoever is behind syncs.',
  resync: 'Live events may have been lost: call sync.',
  token_expiring: 'The access token ends soon: send authenticate.',
  closing: 'The server is about to close this socket; it says whether and when to come back.',
};

/** The AsyncAPI document of the socket, made from the events of the contract. */
export function asyncApiDocument(): AsyncApiDocument {
  const messages = { ...handshakeMessages(), ...clientMessages(), ...serverMessages() };
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Parley socket',
      version: '1.0.0',
      description:
        'Socket.IO, protocol 5, default namespace. Each event of a client is answered through its acknowledgement callback, with `ok: true` and the answer, or with `ok: false` and the error.',
      license: { name: 'Apache-2.0' },
    },
    servers: {
      here: {
        host: '{host}',
        pathname: '/socket.io',
        protocol: 'wss',
        description: 'The server that `GET /v1/connect` names',
        variables: { host: { default: '127.0.0.1:3000' } },
        security: [{ $ref: '#/components/securitySchemes/accessToken' }],
      },
    },
    defaultContentType: 'application/json',
    channels: {
      socket: {
        address: '/',
        title: 'The socket',
        description: 'Handshake `auth`: an access token and the id of the device.',
        messages: Object.fromEntries(Object.keys(messages).map((key) => [key, { $ref: messageRef(key) }])),
      },
    },
    operations: operations(),
    components: {
      messages,
      schemas: schemas(),
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'As `auth: {token, deviceId}` of the handshake',
        },
      },
    },
  } as AsyncApiDocument;
}

function messageRef(key: string): string {
  return `#/components/messages/${key}`;
}

/** Some names go both ways with different payloads (`ack`, `read_receipt`), so each key says the direction. */
const sentBy = { client: (event: string) => `client.${event}`, answer: (event: string) => `answer.${event}` };
const fromServer = (event: string): string => `server.${event}`;

/** The token and the device that a connection begins with, and the `data` of its `connect_error` if it is refused. */
function handshakeMessages(): Record<string, MessageObject> {
  const refused = 'Data of the `connect_error` of a connection that is refused.';
  return {
    handshake: message('handshake', '`auth` of the handshake.', HandshakeSchema, 'input', [
      ['auth', EVENT_EXAMPLES.handshake],
    ]),
    connect_error: message('connect_error', refused, SocketErrorSchema, 'output', [['refused', EVENT_EXAMPLES.error]]),
  };
}

function clientMessages(): Record<string, MessageObject> {
  return Object.fromEntries(
    Object.entries(CLIENT_EVENTS).flatMap(([event, { payload, answer }]) => {
      const examples = EVENT_EXAMPLES.client[event as keyof typeof CLIENT_EVENTS];
      const request = message(event, CLIENT_SUMMARIES[event as keyof typeof CLIENT_EVENTS], payload, 'input', [
        ['request', examples.payload],
      ]);
      const outcome = message(event, `Answers ${event}`, answerSchema(answer), 'output', [
        ['done', { ok: true, ...(examples.answer as object) }],
        ['refused', { ok: false, error: EVENT_EXAMPLES.error }],
      ]);
      return [
        [sentBy.client(event), request],
        [sentBy.answer(event), outcome],
      ];
    }),
  );
}

function serverMessages(): Record<string, MessageObject> {
  return Object.fromEntries(
    Object.entries(SERVER_EVENTS).map(([event, payload]) => {
      const name = event as keyof typeof SERVER_EVENTS;
      const examples: [string, unknown][] = [['event', EVENT_EXAMPLES.server[name]]];
      return [fromServer(event), message(event, SERVER_SUMMARIES[name], payload, 'output', examples)];
    }),
  );
}

/** What an acknowledgement callback is called with. */
export function answerSchema(answer: z.ZodType): z.ZodType {
  return z.union([z.intersection(z.object({ ok: z.literal(true) }), answer), RefusalSchema]);
}

function message(
  name: string,
  summary: string,
  schema: z.ZodType,
  direction: 'input' | 'output',
  examples: [string, unknown][],
): MessageObject {
  return {
    name,
    title: name,
    summary,
    payload: referenceTo(schema, direction),
    examples: examples.map(([example, payload]) => ({ name: example, payload })),
  };
}

function operations(): Record<string, JsonSchema> {
  const inChannel = (key: string) => ({ $ref: `${CHANNEL}/messages/${escapePointer(key)}` });
  const received = Object.keys(CLIENT_EVENTS).map((event) => [
    `receive.${event}`,
    {
      action: 'receive',
      channel: { $ref: CHANNEL },
      summary: CLIENT_SUMMARIES[event as keyof typeof CLIENT_EVENTS],
      messages: [inChannel(sentBy.client(event))],
      reply: { channel: { $ref: CHANNEL }, messages: [inChannel(sentBy.answer(event))] },
    },
  ]);
  const sent = Object.keys(SERVER_EVENTS).map((event) => [
    `send.${event}`,
    {
      action: 'send',
      channel: { $ref: CHANNEL },
      summary: SERVER_SUMMARIES[event as keyof typeof SERVER_EVENTS],
      messages: [inChannel(fromServer(event))],
    },
  ]);
  const handshake = {
    action: 'receive',
    channel: { $ref: CHANNEL },
    summary: 'Opens the socket. A refusal is answered by `connect_error`.',
    messages: [inChannel('handshake')],
    reply: { channel: { $ref: CHANNEL }, messages: [inChannel('connect_error')] },
  };
  return Object.fromEntries([['receive.handshake', handshake], ...received, ...sent]) as Record<string, JsonSchema>;
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function schemas(): Record<string, JsonSchema> {
  const sent = Object.values(CLIENT_EVENTS).map(({ payload }) => payload);
  const answered = [
    ...Object.values(CLIENT_EVENTS).map(({ answer }) => answerSchema(answer)),
    ...Object.values(SERVER_EVENTS),
    SocketErrorSchema,
  ];
  const all = {
    ...componentsOf(
      [...sent, HandshakeSchema].map((schema) => referenceTo(schema, 'input')),
      'input',
    ),
    ...componentsOf(
      answered.map((schema) => referenceTo(schema, 'output')),
      'output',
    ),
  };
  return Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
