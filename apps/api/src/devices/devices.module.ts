import { Module } from '@nestjs/common';
import { DEVICE_HANDLERS } from '@parley/domain';
import { DevicesController } from './devices.controller.js';

/** Devices for push. Needs the global CqrsModule, `DeviceStore` and `PushSettings`. */
@Module({ controllers: [DevicesController], providers: DEVICE_HANDLERS })
export class DevicesModule {}
