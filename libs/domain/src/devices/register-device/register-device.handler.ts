import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import type { Device } from '@parley/contracts';
import { DomainError, invalidField } from '../../errors/domain-error.js';
import { DeviceStore } from '../device-store.port.js';
import { pushEndpointProblem } from '../push-endpoint.js';
import { pushKeyProblem } from '../push-key.js';
import { PushSettings } from '../push-settings.js';
import { RegisterDevice } from './register-device.command.js';

@CommandHandler(RegisterDevice)
export class RegisterDeviceHandler implements ICommandHandler<RegisterDevice> {
  constructor(
    @Inject(DeviceStore) private readonly devices: DeviceStore,
    @Inject(PushSettings) private readonly settings: PushSettings,
  ) {}

  async execute({ callerId, deviceId, registration }: RegisterDevice): Promise<Device> {
    if (registration.provider === 'webpush') {
      const { endpoint, keys } = registration.pushToken;
      const problem = pushEndpointProblem(endpoint, this.settings.arePrivateEndpointsAllowed);
      if (problem) throw invalidField('pushToken.endpoint', 'invalid_value', problem);
      const keyProblem = pushKeyProblem(keys.p256dh);
      if (keyProblem) throw invalidField('pushToken.keys.p256dh', 'invalid_format', keyProblem);
    }
    const device = await this.devices.register(callerId, deviceId, registration);
    if (!device) throw new DomainError('not_found', 'No such user');
    return device;
  }
}
