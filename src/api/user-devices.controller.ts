import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { DeviceView } from '../storage/device.reader.js';
import { ScopedDeviceReader } from '../storage/scoped-device.reader.js';
import { Answers } from './answers.js';
import { ofDevice } from './device-params.js';
import { NarrowedUserQuery } from './erasures.queries.js';
import { DeviceSchema } from './schemas.js';
import { UserDeviceParams } from './user-scope.queries.js';

/** Devices as their users may see them. */
@ApiTags('bindings')
@Controller('v1')
export class UserDevicesController {
  constructor(private readonly devices: ScopedDeviceReader) {}

  @Get('users/:identityId/devices/:device')
  @Answers(
    'What a device is now, as one of its users may see it',
    DeviceSchema,
    [400, 404, 409],
    'Of its state, only what dates from the time since it is theirs; of its owners, only themselves. 404 when it never was theirs.',
  )
  async one(@Param() params: UserDeviceParams, @Query() narrowed: NarrowedUserQuery): Promise<DeviceView> {
    const user = { identityId: params.identityId, ...narrowed };
    return ofDevice(params, (reference) => this.devices.find(reference, user, new Date()));
  }
}
