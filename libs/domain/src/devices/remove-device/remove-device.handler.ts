import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { DomainError } from '../../errors/domain-error.js';
import { DeviceStore } from '../device-store.port.js';
import { RemoveDevice } from './remove-device.command.js';

@CommandHandler(RemoveDevice)
export class RemoveDeviceHandler implements ICommandHandler<RemoveDevice> {
  constructor(@Inject(DeviceStore) private readonly devices: DeviceStore) {}

  async execute({ callerId, deviceId }: RemoveDevice): Promise<void> {
    if (!(await this.devices.remove(callerId, deviceId))) throw new DomainError('not_found', 'No such device');
  }
}
