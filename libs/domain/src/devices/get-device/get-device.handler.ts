import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Device } from '@parley/contracts';
import { DomainError } from '../../errors/domain-error.js';
import { DeviceStore } from '../device-store.port.js';
import { GetDevice } from './get-device.query.js';

@QueryHandler(GetDevice)
export class GetDeviceHandler implements IQueryHandler<GetDevice> {
  constructor(@Inject(DeviceStore) private readonly devices: DeviceStore) {}

  async execute({ callerId, deviceId }: GetDevice): Promise<Device> {
    const device = await this.devices.find(callerId, deviceId);
    if (!device) throw new DomainError('not_found', 'No such device');
    return device;
  }
}
