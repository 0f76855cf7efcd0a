import { toParleyError } from './errors.js';
import type { RestDoor } from './rest.js';
import type { ParleyStore } from './store.js';
import type { Device, Page, RegisterDevice, VapidKey } from './wire.js';

/** Where a store keeps that the device was registered by this user. */
export function pushKey(userId: string): string {
  return `push/${userId}`;
}

export interface PushParts {
  readonly rest: RestDoor;
  readonly store: ParleyStore;
  readonly userId: string;
  /** Of this client; the same over reloads. */
  readonly deviceId: string;
  readonly fault: (cause: unknown) => void;
}

/** Notifications for this device, when nobody looks. */
export class PushDoor {
  /** @internal */
  constructor(private readonly parts: PushParts) {}

  /** `applicationServerKey` for the browser's `pushManager.subscribe`. */
  async vapidKey(): Promise<string> {
    return (await this.parts.rest.call<VapidKey>('GET', '/push/vapid-key')).publicKey;
  }

  /** With the token that the platform gave, or the browser's subscription; again when it gave another one. */
  async register(registration: RegisterDevice): Promise<Device> {
    const { rest, store, userId, deviceId, fault } = this.parts;
    // Before the request: its answer may be lost, and a device too many is only asked about once for nothing.
    await store.set(pushKey(userId), deviceId).catch(fault);
    return rest.call('PUT', `/devices/${deviceId}`, { body: registration });
  }

  /** This device is notified no more; nothing happens, and nothing is asked of the server, when it was not. */
  async unregister(): Promise<void> {
    const { rest, store, userId, deviceId, fault } = this.parts;
    if (!(await wasRegistered(store, userId))) return;
    try {
      await rest.call('DELETE', `/devices/${deviceId}`);
    } catch (cause) {
      if (toParleyError(cause).code !== 'not_found') throw cause;
    }
    await store.delete(pushKey(userId)).catch(fault);
  }

  /** The user's own ones. */
  devices(cursor?: string): Promise<Page<Device>> {
    return this.parts.rest.call('GET', '/devices', { query: { cursor } });
  }
}

/** A store that does not answer may have known it. */
async function wasRegistered(store: ParleyStore, userId: string): Promise<boolean> {
  return (await store.get(pushKey(userId)).catch(() => '')) !== null;
}
