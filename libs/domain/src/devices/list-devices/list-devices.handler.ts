import { Inject } from '@nestjs/common';
import { type IQueryHandler, QueryHandler } from '@nestjs/cqrs';
import type { Device, Page } from '@parley/contracts';
import { CursorCodec } from '../../ports/cursor-codec.port.js';
import { DeviceStore } from '../device-store.port.js';
import { ListDevices } from './list-devices.query.js';

const LIST = 'devices';

@QueryHandler(ListDevices)
export class ListDevicesHandler implements IQueryHandler<ListDevices> {
  constructor(
    @Inject(DeviceStore) private readonly devices: DeviceStore,
    @Inject(CursorCodec) private readonly cursors: CursorCodec,
  ) {}

  async execute({ callerId, page: { cursor, limit } }: ListDevices): Promise<Page<Device>> {
    const after = cursor === undefined ? '' : String(this.cursors.open(callerId, LIST, cursor)[0]);
    const rest = (await this.devices.list(callerId)).filter(({ deviceId }) => deviceId > after);
    const items = rest.slice(0, limit);
    const last = rest.length > limit ? items.at(-1) : undefined;
    return { items, nextCursor: last ? this.cursors.seal(callerId, LIST, [last.deviceId]) : null };
  }
}
