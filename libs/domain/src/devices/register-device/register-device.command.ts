import { Command } from '@nestjs/cqrs';
import type { Device, RegisterDevice as Registration } from '@parley/contracts';

/** Has notifications pushed to a device of the caller. */
export class RegisterDevice extends Command<Device> {
  constructor(
    readonly callerId: string,
    readonly deviceId: string,
    readonly registration: Registration,
  ) {
    super();
  }
}
