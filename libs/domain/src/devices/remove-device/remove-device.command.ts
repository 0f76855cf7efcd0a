import { Command } from '@nestjs/cqrs';

/** Has nothing pushed to a device any more. */
export class RemoveDevice extends Command<void> {
  constructor(
    readonly callerId: string,
    readonly deviceId: string,
  ) {
    super();
  }
}
