import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { BindingReader, type BindingView, type UserDeviceView } from '../storage/binding.reader.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { BadParameters } from './problem.js';
import { BindingsQuery, UserDevicesQuery, UserParams } from './queries.js';
import { BindingList, UserDeviceList } from './schemas.js';

const cursors = new Cursors('bindings', 'time', 'text', 'text', 'text', 'int');

@ApiTags('bindings')
@Controller('v1')
export class BindingsController {
  constructor(private readonly bindings: BindingReader) {}

  @Get('devices/:device/bindings')
  @Answers('Who owns and shares a device: now, at another time, or ever', BindingList, [400, 404, 409])
  async ofDevice(@Param() params: DeviceParams, @Query() query: BindingsQuery): Promise<ListAnswer<BindingView>> {
    const { at, history, limit, cursor } = query;
    if (at && history)
      throw new BadParameters([{ parameter: 'at', detail: 'cannot be given together with history=true' }]);
    const moment = history ? 'ever' : (at ?? 'now');
    const question = [params.device, moment];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await ofDevice(params, (device) => this.bindings.ofDevice(device, moment, page));
    return { items, next: cursors.write(question, next) };
  }

  @Get('users/:identityId/devices')
  @Answers('The devices that a user owns and shares: now, or at another time', UserDeviceList, [400])
  async ofUser(
    @Param() { identityId }: UserParams,
    @Query() query: UserDevicesQuery,
  ): Promise<ListAnswer<UserDeviceView>> {
    const { at, deleted, limit, cursor } = query;
    const question = ['user', identityId, at, deleted];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await this.bindings.ofUser(identityId, at ?? 'now', deleted, page);
    return { items, next: cursors.write(question, next) };
  }
}
