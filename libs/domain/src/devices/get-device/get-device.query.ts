import { Query } from '@nestjs/cqrs';
import type { Device } from '@parley/contracts';

/** One of the caller's devices. */
export class GetDevice extends Query<Device> {
  constructor(
    readonly callerId: string,
    readonly deviceId: string,
  ) {
    super();
  }
}
