import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  type Device,
  DeviceIdSchema,
  DeviceListSchema,
  DeviceSchema,
  type Page,
  type PageQuery,
  PageQuerySchema,
  type RegisterDevice as RegisterDeviceBody,
  RegisterDeviceSchema,
  type VapidKey,
  VapidKeySchema,
} from '@parley/contracts';
import { GetDevice, GetVapidKey, ListDevices, type Principal, RegisterDevice, RemoveDevice } from '@parley/domain';
import { z } from 'zod';
import { CurrentUser } from '../auth/current-user.js';
import { Operation } from '../documents/operation.js';

const DevicePathSchema = z.strictObject({ deviceId: DeviceIdSchema });
type DevicePath = z.infer<typeof DevicePathSchema>;

@Controller('v1')
export class DevicesController {
  constructor(
    @Inject(CommandBus) private readonly commands: CommandBus,
    @Inject(QueryBus) private readonly queries: QueryBus,
  ) {}

  @Get('devices')
  @Operation({
    tag: 'Devices',
    summary: "The caller's devices that notifications are pushed to",
    answers: [{ status: 200, description: 'A page of devices', schema: DeviceListSchema }],
  })
  listDevices(
    @CurrentUser() caller: Principal,
    @Query({ schema: PageQuerySchema }) page: PageQuery,
  ): Promise<Page<Device>> {
    return this.queries.execute(new ListDevices(caller.userId, page));
  }

  @Put('devices/:deviceId')
  @Operation({
    tag: 'Devices',
    summary: 'Have notifications pushed to a device',
    description:
      'Adds the device or replaces it. A token that somebody else registered is moved to the caller. A user has up to 20 devices; with one more, the one that was registered longest ago is dropped.',
    answers: [{ status: 200, description: 'The device as it is now', schema: DeviceSchema }],
  })
  registerDevice(
    @CurrentUser() caller: Principal,
    @Param({ schema: DevicePathSchema }) { deviceId }: DevicePath,
    @Body({ schema: RegisterDeviceSchema }) body: RegisterDeviceBody,
  ): Promise<Device> {
    return this.commands.execute(new RegisterDevice(caller.userId, deviceId, body));
  }

  @Get('devices/:deviceId')
  @Operation({
    tag: 'Devices',
    summary: 'One device of the caller',
    answers: [{ status: 200, description: 'The device', schema: DeviceSchema }],
    refusals: ['not_found'],
  })
  getDevice(
    @CurrentUser() caller: Principal,
    @Param({ schema: DevicePathSchema }) { deviceId }: DevicePath,
  ): Promise<Device> {
    return this.queries.execute(new GetDevice(caller.userId, deviceId));
  }

  @Delete('devices/:deviceId')
  @HttpCode(204)
  @Operation({
    tag: 'Devices',
    summary: 'Have nothing pushed to a device any more',
    answers: [{ status: 204, description: 'Done', schema: null }],
    refusals: ['not_found'],
  })
  removeDevice(
    @CurrentUser() caller: Principal,
    @Param({ schema: DevicePathSchema }) { deviceId }: DevicePath,
  ): Promise<void> {
    return this.commands.execute(new RemoveDevice(caller.userId, deviceId));
  }

  @Get('push/vapid-key')
  @Operation({
    tag: 'Devices',
    summary: 'The key that browsers subscribe to Web Push with',
    answers: [{ status: 200, description: 'The public key', schema: VapidKeySchema }],
    refusals: ['not_found'],
  })
  getVapidKey(): Promise<VapidKey> {
    return this.queries.execute(new GetVapidKey());
  }
}
