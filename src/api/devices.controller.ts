import { Controller, Get, NotFoundException, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type DeviceFields, projected } from '../storage/device-fields.js';
import { type DeviceCount, DeviceListReader } from '../storage/device-list.reader.js';
import { DeviceReader, type DeviceView, type PropertyView, type StatusView } from '../storage/device.reader.js';
import { Answers } from './answers.js';
import { AsOfQuery } from './as-of.queries.js';
import { AsOf } from './as-of.js';
import { deviceFields } from './device-fields-parameter.js';
import { DeviceParams, ofDevice, PropertyParams } from './device-params.js';
import { cursorOf, placeAt } from './device-places.js';
import { DeviceQuery, deviceQuestion, deviceSort, DevicesQuery } from './devices.queries.js';
import { Tagged } from './entity-tag.js';
import type { ListAnswer } from './list-answer.js';
import { AskedDeviceSchema, DeviceList, PropertyItems, PropertySchema, StatusSchema } from './schemas.js';

type NamedProperty = PropertyView & { readonly identifier: string };

/** A list that may say how long it is. */
type CountedList = ListAnswer<Partial<DeviceView>> & { readonly count?: DeviceCount };

@ApiTags('devices')
@Controller('v1/devices')
export class DevicesController {
  constructor(
    private readonly devices: DeviceReader,
    private readonly lists: DeviceListReader,
    private readonly asOf: AsOf,
  ) {}

  @Get()
  @Answers(
    'Devices with presence and current state, by what they are now',
    DeviceList,
    [400, 410],
    'A page looks at a bounded number of devices: where few match, it may hold fewer than `limit`, or none, and still have a `next`.',
  )
  async list(@Query() query: DevicesQuery): Promise<CountedList> {
    const fields = deviceFields(query.fields);
    if (query.at) {
      const { items, next } = await this.asOf.list(query, query.at);
      return { items: items.map((view) => projected(view, fields)), next };
    }
    return this.listNow(query, fields);
  }

  @Get(':device')
  @Tagged()
  @Answers('Everything about one device as it is now', AskedDeviceSchema, [400, 404, 409, 410])
  async one(@Param() params: DeviceParams, @Query() { at, fields }: DeviceQuery): Promise<Partial<DeviceView>> {
    const wanted = deviceFields(fields);
    if (at) return projected(await this.asOf.one(params, at), wanted);
    return ofDevice(params, (reference) => this.devices.find(reference, wanted));
  }

  @Get(':device/status')
  @Tagged()
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
  @Tagged()
  @Answers('The current value of one property', PropertySchema, [400, 404, 409, 410])
  async property(@Param() params: PropertyParams, @Query() { at }: AsOfQuery): Promise<NamedProperty> {
    const [property] = at
      ? await this.asOf.properties(params, at, params.identifier)
      : await ofDevice(params, (reference) => this.devices.properties(reference, params.identifier));
    if (!property) throw new NotFoundException(`${params.device} has no current value of ${params.identifier}`);
    return property;
  }

  private async listNow(query: DevicesQuery, fields: DeviceFields): Promise<CountedList> {
    const { limit, cursor, count, filter, productKey, deviceType, online, q, deleted } = query;
    const question = deviceQuestion(query);
    const sort = deviceSort(query.sort);
    const asked = [filter, productKey, deviceType, online, q, deleted];
    const { items, next } = await this.lists.list(question, sort, fields, {
      limit,
      after: placeAt(sort, asked, cursor),
    });
    const answer = { items, next: cursorOf(sort, asked, next) };
    if (count === undefined || cursor !== undefined) return answer;
    return { ...answer, count: await this.lists.count(question, count) };
  }
}
