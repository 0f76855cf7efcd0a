import { randomBytes, randomUUID } from 'node:crypto';
import type { RegisterDevice } from '@parley/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEVICES_PER_USER_MAX, type DeviceStore } from './device-store.port.js';

export interface DeviceStoreUnderTest {
  devices: DeviceStore;
  /** Makes so many users; answers their ids. */
  addUsers: (count: number) => Promise<string[]>;
}

const fcm = (pushToken = randomBytes(20).toString('hex')): RegisterDevice => ({
  platform: 'android',
  provider: 'fcm',
  pushToken,
});

const webpush: RegisterDevice = {
  platform: 'web',
  provider: 'webpush',
  pushToken: { endpoint: 'https://push.example/1', keys: { p256dh: 'a key', auth: 'a secret' } },
};

/** What every store of devices keeps to. */
export function deviceStoreContract(name: string, make: () => DeviceStoreUnderTest): void {
  describe(`devices: ${name}`, () => {
    let devices: DeviceStore;
    let ada: string;
    let bob: string;
    beforeAll(async () => {
      const opened = make();
      devices = opened.devices;
      [ada, bob] = (await opened.addUsers(2)) as [string, string];
    });

    it('keeps a device with its token as it was given, and replaces it under the same id', async () => {
      const deviceId = randomUUID();
      const first = await devices.register(ada, deviceId, webpush);
      expect(first).toMatchObject({ deviceId, ...webpush });
      expect(await devices.find(ada, deviceId)).toEqual(first);
      const next = await devices.register(ada, deviceId, fcm('another'));
      expect(next).toMatchObject({ deviceId, provider: 'fcm', pushToken: 'another', createdAt: first!.createdAt });
      expect(await devices.find(ada, deviceId)).toEqual(next);
      await devices.remove(ada, deviceId);
    });

    it('shows nobody the devices of others, also under the same id', async () => {
      const deviceId = randomUUID();
      await devices.register(ada, deviceId, fcm());
      expect(await devices.find(bob, deviceId)).toBeNull();
      expect(await devices.remove(bob, deviceId)).toBe(false);
      const bobs = await devices.register(bob, deviceId, fcm());
      expect(await devices.list(bob)).toEqual([bobs]);
      expect(await devices.remove(bob, deviceId)).toBe(true);
      expect(await devices.find(ada, deviceId)).not.toBeNull();
    });

    it('moves a token to whoever registers it last', async () => {
      const [adas, bobs, bobsNext] = [randomUUID(), randomUUID(), randomUUID()];
      await devices.register(ada, adas, fcm('moves'));
      await devices.register(bob, bobs, fcm('moves'));
      expect(await devices.find(ada, adas)).toBeNull();
      await devices.register(bob, bobsNext, fcm('moves'));
      expect(await devices.find(bob, bobs)).toBeNull();
      expect(await devices.find(bob, bobsNext)).toMatchObject({ pushToken: 'moves' });
    });

    it('has a token once, whoever asks at the same time', async () => {
      const ids = Array.from({ length: 12 }, () => randomUUID());
      await Promise.all(ids.map((id, n) => devices.register(n % 2 ? ada : bob, id, fcm('contested'))));
      const all = [...(await devices.list(ada)), ...(await devices.list(bob))];
      expect(all.filter(({ pushToken }) => pushToken === 'contested')).toHaveLength(1);
    });

    it(`keeps the last ${DEVICES_PER_USER_MAX} devices of a user`, async () => {
      for (const { deviceId } of await devices.list(ada)) await devices.remove(ada, deviceId);
      const ids: string[] = Array.from({ length: DEVICES_PER_USER_MAX + 2 }, () => randomUUID());
      for (const id of ids) await devices.register(ada, id, fcm());
      const kept = (await devices.list(ada)).map(({ deviceId }) => deviceId);
      expect(kept).toEqual(ids.slice(2).toSorted());
    });

    it('knows no user that does not exist', async () => {
      expect(await devices.register(randomUUID(), randomUUID(), fcm())).toBeNull();
    });
  });
}
