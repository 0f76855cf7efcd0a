import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { logOut, memoryStore, type ParleyConversation } from './index.js';
import { SdkTrial, until, untilConnection, type Person } from './testing/sdk-trial.js';

/** One red pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);
const SUBSCRIPTION = {
  endpoint: 'https://push.example.com/send/2f1c9a528f0e4c8e',
  keys: {
    p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
    auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  },
};

let trial: SdkTrial;
let ada: Person;
let bob: Person;
let adas: ParleyConversation;
let bobs: ParleyConversation;
beforeAll(async () => {
  trial = await SdkTrial.start();
  ada = await trial.person('Ada');
  bob = await trial.person('Bob');
  adas = await ada.client.createGroup('Pictures', [bob.client.userId]);
  bobs = await bob.client.conversation(adas.id);
});
afterAll(() => trial.stop());

const picture = () => new Blob([PNG], { type: 'image/png' });
function opened(...conversations: ParleyConversation[]): Promise<void[]> {
  for (const one of conversations) onTestFinished(one.subscribe(() => {}));
  return Promise.all(conversations.map((one) => until(one, () => one.isLoaded, 'loaded')));
}

describe('a picture', () => {
  it('shows at once to whoever sends it, and to the others with an address that an <img> can use', async () => {
    await opened(adas, bobs);
    const medium = await ada.client.media.upload(picture(), { fileName: 'pixel.png' });
    expect(medium).toMatchObject({ fileName: 'pixel.png', mimeType: 'image/png', sizeBytes: PNG.length, width: 1 });
    const sent = adas.send('', { media: [medium], contentType: 'image' });
    expect(adas.timeline.at(-1)).toMatchObject({ status: 'sending', media: [medium] });
    await sent;
    await until(bobs, (items) => items.at(-1)?.media[0]?.mediaId === medium.mediaId);
    await until(adas, (items) => items.at(-1)?.seq != null && items.at(-1)?.media[0]?.mediaId === medium.mediaId);
    const [shown] = bobs.timeline.at(-1)?.media ?? [];
    const bytes = await fetch(bob.client.media.url(shown?.url ?? ''));
    expect(Buffer.from(await bytes.arrayBuffer())).toEqual(PNG);
    const fresh = await bobs.freshMedia(bobs.timeline.at(-1)?.messageId ?? '');
    expect(fresh.map(({ mediaId }) => mediaId)).toEqual([medium.mediaId]);
    expect(bobs.timeline.at(-1)?.media).toBe(fresh);
  });

  it('that is uploaded through a bad network arrives, and its message exists once', async () => {
    await opened(adas);
    const before = adas.timeline.length;
    trial.proxy.refuse();
    trial.proxy.cut();
    const uploaded = ada.client.media.upload(picture(), { fileName: 'late.png' });
    await untilConnection(ada.client, 'waiting');
    await trial.proxy.heal();
    const medium = await uploaded;
    await adas.send('look', { media: [medium] });
    trial.proxy.cut();
    ada.client.reconnect();
    await until(adas, (items) => items.length === before + 1 && items.at(-1)?.seq != null);
    expect(adas.timeline.at(-1)).toMatchObject({ content: 'look', media: [{ mediaId: medium.mediaId }] });
  });

  it('can be cancelled, and what is no picture for the server is refused with the reason', async () => {
    trial.proxy.silence();
    const abort = new AbortController();
    const cancelled = ada.client.media.upload(picture(), { signal: abort.signal });
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    trial.proxy.cut();
    await trial.proxy.heal();
    ada.client.reconnect();
    await untilConnection(ada.client, 'connected');
    await expect(adas.send('', { mediaIds: ['0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b92'] })).resolves.toEqual(
      expect.any(String),
    );
    await opened(adas);
    await until(adas, (items) => items.at(-1)?.status === 'failed');
    expect(adas.timeline.at(-1)?.failure).toMatchObject({ code: 'not_found', retryable: false });
    adas.discard(adas.timeline.at(-1)?.clientMsgId ?? '');
  });

  it('can be one’s avatar', async () => {
    const { mediaId } = await ada.client.media.upload(picture());
    await ada.client.updateMe({ avatarMediaId: mediaId });
    const { avatarUrl } = await bob.client.user(ada.client.userId);
    expect((await fetch(bob.client.media.url(avatarUrl ?? ''))).status).toBe(200);
  });
});

describe('notifications', () => {
  /** How the server answered each request that something be deleted. */
  let deletions: number[];
  beforeEach(() => {
    deletions = [];
  });
  const noting = async (url: string, request: Parameters<typeof fetch>[1]) => {
    const answer = await fetch(url, request);
    if (request?.method === 'DELETE') deletions.push(answer.status);
    return answer;
  };

  it('are registered for this device, and go with the session', async () => {
    const store = memoryStore();
    const { client } = await trial.person('Dora', { store, fetch: noting });
    const registration = { platform: 'web', provider: 'webpush', pushToken: SUBSCRIPTION } as const;
    const device = await client.push.register(registration);
    expect(device.deviceId).toBe(await store.get('device'));
    expect((await client.push.devices()).items).toEqual([device]);
    await client.push.unregister();
    await client.push.unregister();
    expect(deletions).toEqual([204]);
    expect((await client.push.devices()).items).toEqual([]);
    await client.push.register(registration);
    const { username } = await client.me();
    expect(await logOut(client, { ...trial.options(store), fetch: noting })).toBe(true);
    expect(deletions).toEqual([204, 204]);
    expect(await store.keys('')).toEqual(['device']);
    const again = await trial.again({ client, username, store });
    expect((await again.push.devices()).items).toEqual([]);
  });

  it('that were never asked for are not taken back: browsers show every 404 to whoever looks', async () => {
    const store = memoryStore();
    const { client } = await trial.person('Dora', { store, fetch: noting });
    await client.push.unregister();
    expect(await logOut(client, { ...trial.options(store), fetch: noting })).toBe(true);
    expect(deletions).toEqual([]);
  });
});
