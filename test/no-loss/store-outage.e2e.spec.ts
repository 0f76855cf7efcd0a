import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from '@parley/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestSocket } from '../clients/test-socket.js';
import { TestUser } from '../clients/test-user.js';
import { ServerProcess } from './server-process.js';

const ANSWER_MS_MAX = 3_500;
const BACK_MS_MAX = 10_000;

let folder: string;
let server: ServerProcess;
let ada: TestUser;
let socket: TestSocket;
let conversationId: string;
let elsewhere: Message;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-outage-'));
  server = await ServerProcess.prepare(join(folder, 'data'));
  await server.start();
  ada = await TestUser.signUp(server.url);
  socket = await ada.connect();
  ({ conversationId } = await ada.group([]));
  await ada.send(conversationId, 'before');
  elsewhere = await ada.send((await ada.group([])).conversationId, 'elsewhere');
}, 90_000);
afterAll(async () => {
  socket.close();
  await server.destroy();
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** The database server and every process of it (Linux: the kernel lists the children of each thread). */
async function databaseProcesses(): Promise<number[]> {
  const postmaster = (await server.postmaster()) as number;
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
  return [postmaster, ...children.trim().split(/\s+/).map(Number)];
}

async function timed<Value>(act: Promise<Value>): Promise<{ value: Value; ms: number }> {
  const began = performance.now();
  return { value: await act, ms: performance.now() - began };
}

describe.runIf(process.platform === 'linux')('while the database server does not move', () => {
  it('everything is answered within seconds, and what was not stored may be sent again', async () => {
    const sending = { conversationId, content: 'in between', clientMsgId: randomUUID() };
    const { conversationId: _, ...body } = sending;
    const processes = await databaseProcesses();
    for (const pid of processes) process.kill(pid, 'SIGSTOP');
    try {
      const path = `/v1/conversations/${conversationId}`;
      const [bySocket, byRest, view, list, sync] = await Promise.all([
        timed(socket.refusal('send_message', sending)),
        timed(ada.rest.refusal('POST', `${path}/messages`, { ...body, clientMsgId: randomUUID() })),
        timed(ada.rest.refusal('GET', path)),
        timed(ada.rest.refusal('GET', '/v1/conversations')),
        timed(socket.refusal('sync', {})),
      ]);
      const { messageId } = elsewhere;
      const others = await Promise.all([
        timed(ada.rest.refusal('GET', `/v1/conversations/${elsewhere.conversationId}/messages?before=${messageId}`)),
        timed(ada.rest.refusal('GET', `/v1/conversations/${elsewhere.conversationId}/messages/${messageId}`)),
        timed(socket.refusal('ack', { messageId: '17' })),
        timed(socket.refusal('read_receipt', { conversationId, lastReadMessageId: '17' })),
        timed(socket.refusal('edit_message', { conversationId, messageId: '17', content: 'x' })),
        timed(ada.rest.refusal('GET', '/v1/users?search=a')),
        timed(ada.rest.refusal('GET', `/v1/users/${randomUUID()}`)),
        timed(ada.rest.refusal('GET', '/v1/users/me/blocks')),
      ]);
      for (const { value, ms } of [bySocket, byRest, view, list, sync, ...others]) {
        expect(value).toBe('503 store_unavailable');
        expect(ms).toBeLessThan(ANSWER_MS_MAX);
      }
      expect(await socket.ask('heartbeat', { active: true })).toBeDefined();
      expect((await ada.rest.call('GET', '/health/live')).status).toBe(200);
      expect((await ada.rest.call('GET', '/health/ready')).status).toBe(503);
    } finally {
      for (const pid of processes) process.kill(pid, 'SIGCONT');
    }
    const back = await timed(
      expect.poll(() => socket.raw('send_message', sending), { timeout: BACK_MS_MAX }).toMatchObject({ ok: true }),
    );
    expect(back.ms).toBeLessThan(BACK_MS_MAX);
    const { items } = await ada.history(conversationId);
    expect(items.filter(({ clientMsgId }) => clientMsgId === sending.clientMsgId)).toHaveLength(1);
    expect(items.map(({ seq }) => seq)).toEqual(items.map((_item, i) => items.length - i));
    expect((await ada.conversation(conversationId)).lastSeq).toBe(items.length);
  });
});
