import { randomUUID } from 'node:crypto';
import { afterEach } from 'vitest';
import { authOf, type TestGateway } from './gateway-testing.js';
import { RawSocket } from './raw-socket.js';

export interface Client {
  userId: string;
  socket: RawSocket;
  /** Payloads of one server event, in the order in which they came. */
  heard: (event: string) => unknown[];
  /** Waits until so many of them came. */
  hears: (event: string, count?: number) => Promise<unknown[]>;
  emit: (id: number, event: string, payload: unknown) => Promise<Record<string, unknown>>;
}

const PACKET = /^42\["([a-z_]+)",/;

/** Connected clients of the test's gateway; they are cut after each test. */
export function clientsOf(gateway: () => TestGateway): (userId?: string, session?: string) => Promise<Client> {
  const opened: RawSocket[] = [];
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.destroy();
  });
  return async (userId = randomUUID(), session?: string) => {
    const socket = await RawSocket.connect(gateway().url, authOf(userId, session));
    opened.push(socket);
    const texts = (event: string): string[] => socket.texts.filter((text) => PACKET.exec(text)?.[1] === event);
    const heard = (event: string): unknown[] => texts(event).map((text) => (JSON.parse(text.slice(2)) as unknown[])[1]);
    return {
      userId,
      socket,
      heard,
      hears: async (event, count = 1) => {
        await socket.next(() => texts(event).length >= count);
        return heard(event);
      },
      emit: async (id, event, payload) => {
        socket.send(`42${id}["${event}",${JSON.stringify(payload)}]`);
        return socket.answer(id);
      },
    };
  };
}

let settledIds = 1_000_000;

/** Everything that was written to these clients before has arrived. */
export async function settled(...clients: Client[]): Promise<void> {
  for (const client of clients) await client.emit(settledIds++, 'heartbeat', { active: true });
}

/** The seqs of the new messages that a client got, in the order in which they came. */
export const seqsOf = (client: Client): number[] =>
  client.heard('new_message').map((message) => (message as { seq: number }).seq);
