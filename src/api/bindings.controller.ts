import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { BindingReader, type BindingView, type UserDeviceView } from '../storage/binding.reader.js';
import { Answers } from './answers.js';
import { BindingsQuery, momentOf, UserDevicesQuery } from './bindings.queries.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { UserParams } from './queries.js';
import { BindingList, UserDeviceList } from './schemas.js';

const cursors = new Cursors('bindings', 'time', 'text', 'text', 'text', 'int');

@ApiTags('bindings')
@Controller('v1')
export class BindingsController {
  constructor(private readonly bindings: BindingReader) {}

  @Get('devices/:device/bindings')
  @Answers(
    'Who owns and shares a device: now, at another time, in a stretch of time, or ever',
    BindingList,
    [400, 404, 409],
  )
  async ofDevice(@Param() params: DeviceParams, @Query() query: BindingsQuery): Promise<ListAnswer<BindingView>> {
    const { tenantId, scopeId, limit, cursor } = query;
    const moment = momentOf(query);
    const users = { tenantId, scopeId };
    const question = [params.device, moment, users];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await ofDevice(params, (device) => this.bindings.ofDevice(device, moment, page, users));
    return { items, next: cursors.write(question, next) };
  }

  @Get('users/:identityId/devices')
  @Answers(
    'The devices that a user owns and shares: now, at another time, in a stretch of time, or ever',
    UserDeviceList,
    [400],
  )
  async ofUser(
    @Param() { identityId }: UserParams,
    @Query() query: UserDevicesQuery,
  ): Promise<ListAnswer<UserDeviceView>> {
    const { tenantId, scopeId, deleted, limit, cursor } = query;
    const moment = momentOf(query);
    const user = { identityId, tenantId, scopeId };
    const question = [user, moment, deleted];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await this.bindings.ofUser(user, moment, deleted, page);
    return { items, next: cursors.write(question, next) };
  }
}
