import { Controller, Get, NotFoundException, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type DeviceCount, DeviceListReader } from '../storage/device-list.reader.js';
import { DeviceReader, type DeviceView, type PropertyView, type StatusView } from '../storage/device.reader.js';
import { Answers } from './answers.js';
import { deviceFields } from './device-fields-parameter.js';
import { DeviceParams, ofDevice, PropertyParams } from './device-params.js';
import { cursorOf, placeAt } from './device-places.js';
import { deviceQuestion, deviceSort, DevicesQuery, FieldsQuery } from './devices.queries.js';
import { Tagged } from './entity-tag.js';
import type { ListAnswer } from './list-answer.js';
import { NoQuery } from './queries.js';
import { DeviceList, DeviceSchema, PropertyItems, PropertySchema, StatusSchema } from './schemas.js';

type NamedProperty = PropertyView & { readonly identifier: string };

/** A list that may say how long it is. */
type CountedList = ListAnswer<Partial<DeviceView>> & { readonly count?: DeviceCount };

@ApiTags('devices')
@Controller('v1/devices')
export class DevicesController {
  constructor(
    private readonly devices: DeviceReader,
    private readonly lists: DeviceListReader,
  ) {}

  @Get()
  @Answers(
    'Devices with presence and current state, by what they are now',
    DeviceList,
    [400],
    'A page looks at a bounded number of devices: where few match, it may hold fewer than `limit`, or none, and still have a `next`.',
  )
  async list(@Query() query: DevicesQuery): Promise<CountedList> {
    const { limit, cursor, count, fields, sort: sortText, ...rest } = query;
    const question = deviceQuestion(rest);
    const sort = deviceSort(sortText);
    const asked = [rest.filter, rest.productKey, rest.deviceType, rest.online, rest.q, rest.deleted];
    const after = placeAt(sort, asked, cursor);
    const { items, next } = await this.lists.list(question, sort, deviceFields(fields), { limit, after });
    const answer = { items, next: cursorOf(sort, asked, next) };
    if (count === undefined || cursor !== undefined) return answer;
    return { ...answer, count: await this.lists.count(question, count) };
  }

  @Get(':device')
  @Tagged()
  @Answers('Everything about one device as it is now', DeviceSchema, [400, 404, 409])
  async one(@Param() params: DeviceParams, @Query() { fields }: FieldsQuery): Promise<Partial<DeviceView>> {
    const wanted = deviceFields(fields);
    return ofDevice(params, (reference) => this.devices.find(reference, wanted));
  }

  @Get(':device/status')
  @Tagged()
  @Answers('Whether a device is online, and since when', StatusSchema, [400, 404, 409])
  async status(@Param() params: DeviceParams, @Query() _: NoQuery): Promise<StatusView> {
    return ofDevice(params, (reference) => this.devices.status(reference));
  }

  @Get(':device/properties')
  @Answers(
    'The current value of every property',
    PropertyItems,
    [400, 404, 409],
    'All of them: there is no second page.',
  )
  async properties(@Param() params: DeviceParams, @Query() _: NoQuery): Promise<ListAnswer<NamedProperty>> {
    return { items: await ofDevice(params, (reference) => this.devices.properties(reference)), next: null };
  }

  @Get(':device/properties/:identifier')
  @Tagged()
  @Answers('The current value of one property', PropertySchema, [400, 404, 409])
  async property(@Param() params: PropertyParams, @Query() _: NoQuery): Promise<NamedProperty> {
    const [property] = await ofDevice(params, (reference) => this.devices.properties(reference, params.identifier));
    if (!property) throw new NotFoundException(`${params.device} has no current value of ${params.identifier}`);
    return property;
  }
}
