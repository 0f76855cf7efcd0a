import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { sendRecord } from '../../../domain/src/ports/testing/send-record.js';
import { KafkaCommandLog } from './kafka-command-log.js';
import { KafkaEventStream } from './kafka-event-stream.js';
import { openKafkaTopics } from './kafka-topics.js';
import { fromZero, readSome, testBrokers } from './test-brokers.testing.js';

const WITHIN_MS = 12_000;

/** Takes connections and says nothing, as the kernel does for a broker that stands still. */
async function silentBroker(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** As its callers do: again, until it is taken. */
async function untilTaken<T>(work: () => Promise<T>): Promise<T> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: string }).code !== 'store_unavailable' || performance.now() > until) throw error;
    }
  }
}

it('the first broker of the list stands still, and everything goes on through the others', async () => {
  const connection = { brokers: [await silentBroker(), ...testBrokers()], clientId: 'silent-broker-test' };
  const topicPrefix = `t-${randomUUID()}`;
  const { commands, events } = await openKafkaTopics({
    ...connection,
    topicPrefix,
    partitions: 1,
    replicationFactor: 1,
  });
  const log = new KafkaCommandLog({ ...connection, topic: commands, partitions: 1 });
  const stream = new KafkaEventStream({ ...connection, topic: events });
  onTestFinished(async () => {
    await Promise.all([log.close(), stream.close()]);
  });
  const record = sendRecord('conversation');
  const event = {
    partition: 0,
    offset: 0,
    index: 0,
    conversationId: randomUUID(),
    at: 1_790_000_000_000,
    payload: '{}',
  };
  await Promise.all([untilTaken(() => log.append([record])), untilTaken(() => stream.append([event]))]);
  expect((await readSome(log, fromZero(1), 1)).map((read) => read.record)).toEqual([record]);
  expect(await untilTaken(() => log.payloadsAt(new Map([[0, 0]])))).toEqual(new Map([[0, JSON.stringify(record)]]));
  expect(await untilTaken(() => stream.read(0, null, 10))).toEqual([event]);
});
