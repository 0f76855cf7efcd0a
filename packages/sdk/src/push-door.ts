import { toParleyError } from './errors.js';
import type { RestDoor } from './rest.js';
import type { Device, Page, RegisterDevice, VapidKey } from './wire.js';

/** Notifications for this device, when nobody looks. */
export class PushDoor {
  /** @internal @param deviceId of this client; the same over reloads */
  constructor(
    private readonly rest: RestDoor,
    private readonly deviceId: string,
  ) {}

  /** `applicationServerKey` for the browser's `pushManager.subscribe`. */
  async vapidKey(): Promise<string> {
    return (await this.rest.call<VapidKey>('GET', '/push/vapid-key')).publicKey;
  }

  /** With the token that the platform gave, or the browser's subscription; again when it gave another one. */
  register(registration: RegisterDevice): Promise<Device> {
    return this.rest.call('PUT', `/devices/${this.deviceId}`, { body: registration });
  }

  /** This device is notified no more; nothing happens when it was not. */
  async unregister(): Promise<void> {
    try {
      await this.rest.call('DELETE', `/devices/${this.deviceId}`);
    } catch (cause) {
      if (toParleyError(cause).code !== 'not_found') throw cause;
    }
  }

  /** The user's own ones. */
  devices(cursor?: string): Promise<Page<Device>> {
    return this.rest.call('GET', '/devices', { query: { cursor } });
  }
}
