import { GetDeviceHandler } from './get-device/get-device.handler.js';
import { GetVapidKeyHandler } from './get-vapid-key/get-vapid-key.handler.js';
import { ListDevicesHandler } from './list-devices/list-devices.handler.js';
import { RegisterDeviceHandler } from './register-device/register-device.handler.js';
import { RemoveDeviceHandler } from './remove-device/remove-device.handler.js';

export * from './device-store.port.js';
export * from './get-device/get-device.query.js';
export * from './get-vapid-key/get-vapid-key.query.js';
export * from './list-devices/list-devices.query.js';
export * from './push-endpoint.js';
export * from './push-settings.js';
export * from './register-device/register-device.command.js';
export * from './remove-device/remove-device.command.js';

/** For the Nest module of whichever process answers these commands and queries. */
export const DEVICE_HANDLERS = [
  GetDeviceHandler,
  GetVapidKeyHandler,
  ListDevicesHandler,
  RegisterDeviceHandler,
  RemoveDeviceHandler,
];
