import { Query } from '@nestjs/cqrs';
import type { Device, Page, PageQuery } from '@parley/contracts';

/** The caller's devices, by id. */
export class ListDevices extends Query<Page<Device>> {
  constructor(
    readonly callerId: string,
    readonly page: PageQuery,
  ) {
    super();
  }
}
