import type { Device, RegisterDevice } from '@parley/contracts';

/** With one more, the device that was registered longest ago is dropped. */
export const DEVICES_PER_USER_MAX = 20;

/** The devices that notifications are pushed to. A device id is its user's own; a push token belongs to one device. */
export abstract class DeviceStore {
  /**
   * Adds the device or replaces it. Whoever had the token before, another user or another device, has it no longer:
   * somebody else signed in on that device. Null when there is no such user.
   */
  abstract register(userId: string, deviceId: string, registration: RegisterDevice): Promise<Device | null>;
  abstract find(userId: string, deviceId: string): Promise<Device | null>;
  /** By id. At most `DEVICES_PER_USER_MAX`. */
  abstract list(userId: string): Promise<Device[]>;
  /** With what was to be pushed to it. False when there was none. */
  abstract remove(userId: string, deviceId: string): Promise<boolean>;
}
