import { randomUUID } from 'node:crypto';
import { type Presence, PresenceListSchema } from '@parley/contracts';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { TrialCluster } from '../clients/cluster/trial-cluster.js';
import type { RoleProcess } from '../clients/cluster/role-process.js';
import { TestSocket } from '../clients/test-socket.js';
import { TestUser } from '../clients/test-user.js';

/** A crashed gateway leaves nobody online for longer; and as long after Redis is back everybody is right again. */
const TTL_MS = 90_000;
const SOON_MS = 20_000;
/** What the processes may take on a busy machine to do what is due. */
const SLACK_MS = 6_000;
const HEARTBEAT_MS = 10_000;

let cluster: TrialCluster;
let here: RoleProcess;
let there: RoleProcess;
let ada: TestUser;
let watching: TestSocket;
beforeAll(async () => {
  cluster = await TrialCluster.start(['redis'], { workers: 1, apis: 1, gateways: 2 });
  [here, there] = cluster.of('gateway') as [RoleProcess, RoleProcess];
}, 180_000);
afterAll(async () => {
  await cluster?.stop();
}, 60_000);
beforeEach(async () => {
  ada = await TestUser.signUp(cluster.url, 'Ada');
  watching = await connect(here, ada);
});

/** Says now and then that it is still there. */
async function connect({ url }: RoleProcess, user: TestUser): Promise<TestSocket> {
  const socket = await TestSocket.connect(url, { token: user.rest.token, deviceId: randomUUID() });
  const timer = setInterval(() => void socket.raw('heartbeat', { active: true }).catch(() => {}), HEARTBEAT_MS);
  onTestFinished(() => {
    clearInterval(timer);
    socket.close();
  });
  return socket;
}
const people = (count: number): Promise<TestUser[]> =>
  Promise.all(Array.from({ length: count }, () => TestUser.signUp(cluster.url, 'Person')));
const subscribe = async (socket: TestSocket, users: readonly TestUser[]): Promise<Presence[]> =>
  (await socket.ask('presence_subscribe', { userIds: users.map(({ userId }) => userId) })).presences;
const query = async (users: readonly TestUser[]): Promise<Presence[]> => {
  const body = { userIds: users.map(({ userId }) => userId) };
  return (await ada.rest.want(200, PresenceListSchema, 'POST', '/v1/presence/query', body)).items;
};
const latest = (socket: TestSocket, { userId }: TestUser): Presence | undefined =>
  socket
    .seen('presence_update')
    .filter((one) => one.userId === userId)
    .at(-1);
async function allAre(status: string, users: readonly TestUser[], timeoutMs: number): Promise<void> {
  const others = (): string[] => users.map((user) => latest(watching, user)?.status ?? 'unknown');
  await expect.poll(others, { timeout: timeoutMs, interval: 50 }).toEqual(users.map(() => status));
}

it('everybody is offline while Redis is away, and right again soon after its return, without a reconnection', async () => {
  const [ben, cyd, dan] = (await people(3)) as [TestUser, TestUser, TestUser];
  await subscribe(watching, [ben, cyd, dan]);
  const [atEast, atWest] = [await connect(here, ben), await connect(there, cyd)];
  await allAre('online', [ben, cyd], SOON_MS);

  await cluster.engine.kill();
  await allAre('offline', [ben, cyd], SOON_MS);
  expect((await query([ben, cyd])).map(({ status }) => status)).toEqual(['offline', 'offline']);
  // One goes and one comes while nobody can know it.
  atWest.close();
  await connect(there, dan);

  await cluster.engine.start();
  await allAre('online', [ben, dan], TTL_MS);
  await expect
    .poll(async () => (await query([ben, cyd, dan])).map(({ status }) => status), { timeout: SOON_MS })
    .toEqual(['online', 'offline', 'online']);
  // A device that went a moment ago may be shown for a moment more.
  await allAre('offline', [cyd], SOON_MS);
  expect([atEast.disconnected, watching.disconnected]).toEqual([undefined, undefined]);
}, 150_000);

it('a gateway that is killed leaves nobody online for longer than 90 s, and for everybody when they were last there', async () => {
  const [ben, unwatched, staying] = (await people(3)) as [TestUser, TestUser, TestUser];
  await subscribe(watching, [ben, staying]);
  await Promise.all([connect(there, ben), connect(there, unwatched), connect(here, staying)]);
  await allAre('online', [ben, staying], SOON_MS);
  await expect.poll(async () => (await query([unwatched]))[0]?.status, { timeout: SOON_MS }).toBe('online');

  there.signal('SIGKILL');
  await there.end(5_000);
  const diedAt = Date.now();
  await allAre('offline', [ben], TTL_MS + SLACK_MS);
  expect(Date.now() - diedAt).toBeLessThan(TTL_MS + SLACK_MS);
  expect(latest(watching, staying)?.status).toBe('online');

  const lastSeen = latest(watching, ben)?.lastSeen ?? '';
  expect(Math.abs(Date.parse(lastSeen) - diedAt)).toBeLessThan(31_000);
  // From the database, where nobody but those who watched could leave it; the others have the time at which they came.
  const recordedAgoMs = async (): Promise<number> => {
    const [recorded] = await query([ben]);
    return Math.abs(Date.parse(recorded?.lastSeen ?? '') - Date.parse(lastSeen));
  };
  await expect.poll(recordedAgoMs, { timeout: SOON_MS }).toBeLessThan(1_000);
  await expect.poll(async () => (await query([unwatched]))[0]?.status, { timeout: SOON_MS }).toBe('offline');
  const [gone] = await query([unwatched]);
  expect(Math.abs(Date.parse(gone?.lastSeen ?? '') - diedAt)).toBeLessThan(60_000);
}, 180_000);
