import { Controller, Get, NotFoundException, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import {
  type DeviceFilter,
  DeviceReader,
  type DeviceView,
  type PropertyView,
  type StatusView,
} from '../storage/device.reader.js';
import { Answers } from './answers.js';
import { AsOfQuery } from './as-of.queries.js';
import { AsOf } from './as-of.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice, PropertyParams } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { DevicesQuery } from './queries.js';
import { DeviceList, DeviceSchema, PropertyItems, PropertySchema, StatusSchema } from './schemas.js';

type NamedProperty = PropertyView & { readonly identifier: string };

const cursors = new Cursors('devices', 'text', 'text');

@ApiTags('devices')
@Controller('v1/devices')
export class DevicesController {
  constructor(
    private readonly devices: DeviceReader,
    private readonly asOf: AsOf,
  ) {}

  @Get()
  @Answers('Devices with presence and current state, by productKey and deviceName', DeviceList, [400, 410])
  async list(@Query() query: DevicesQuery): Promise<ListAnswer<DeviceView>> {
    if (query.at) return this.asOf.list(query, query.at);
    const { limit, cursor, online, ...rest } = query;
    const filter: DeviceFilter = {
      ...rest,
      ...(online !== undefined && { online: online === 'unknown' ? online : online === 'true' }),
    };
    const question = [rest.productKey, rest.deviceType, online, rest.q, rest.deleted];
    const { items, next } = await this.devices.list(filter, { limit, after: cursors.read(question, cursor) });
    return { items, next: cursors.write(question, next) };
  }

  @Get(':device')
  @Answers('Everything about one device as it is now', DeviceSchema, [400, 404, 409, 410])
  async one(@Param() params: DeviceParams, @Query() { at }: AsOfQuery): Promise<DeviceView> {
    if (at) return this.asOf.one(params, at);
    return ofDevice(params, (reference) => this.devices.find(reference));
  }

  @Get(':device/status')
  @Answers('Whether a device is online, and since when', StatusSchema, [400, 404, 409, 410])
  async status(@Param() params: DeviceParams, @Query() { at }: AsOfQuery): Promise<StatusView> {
    if (at) return this.asOf.status(params, at);
    return ofDevice(params, (reference) => this.devices.status(reference));
  }

  @Get(':device/properties')
  @Answers(
    'The current value of every property',
    PropertyItems,
    [400, 404, 409, 410],
    'All of them: there is no second page.',
  )
  async properties(@Param() params: DeviceParams, @Query() { at }: AsOfQuery): Promise<ListAnswer<NamedProperty>> {
    if (at) return { items: await this.asOf.properties(params, at), next: null };
    return { items: await ofDevice(params, (reference) => this.devices.properties(reference)), next: null };
  }

  @Get(':device/properties/:identifier')
  @Answers('The current value of one property', PropertySchema, [400, 404, 409, 410])
  async property(@Param() params: PropertyParams, @Query() { at }: AsOfQuery): Promise<NamedProperty> {
    const [property] = at
      ? await this.asOf.properties(params, at, params.identifier)
      : await ofDevice(params, (reference) => this.devices.properties(reference, params.identifier));
    if (!property) throw new NotFoundException(`${params.device} has no current value of ${params.identifier}`);
    return property;
  }
}
