import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { FlappingReader, type FlappingDevice } from '../storage/flapping.reader.js';
import {
  type FleetCount,
  type FleetPoint,
  PresenceFleetReader,
  type ProductCount,
} from '../storage/presence-fleet.reader.js';
import type { PresenceSummary } from '../storage/presence-summary.js';
import type { PresenceInterval } from '../storage/presence-interval.js';
import { PresenceReader } from '../storage/presence.reader.js';
import { SilentReader, type SilentDevice } from '../storage/silent.reader.js';
import { UserScope } from '../storage/user-scope.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import { parseFilter } from './filter/parse-filter.js';
import type { ListAnswer } from './list-answer.js';
import { curveMoments, flappingDays } from './presence-ranges.js';
import {
  FlappingQuery,
  FleetPresenceQuery,
  PresenceCurveQuery,
  PresenceIntervalsQuery,
  PresenceSummaryQuery,
  SilentQuery,
} from './presence.queries.js';
import {
  FlappingListSchema,
  FleetPresenceSchema,
  PresenceCurve,
  PresenceIntervalList,
  PresenceSummarySchema,
  SilentList,
} from './presence.schemas.js';
import { rangeOf } from './queries.js';
import { userOf } from './user-scope.queries.js';

const intervalCursors = new Cursors('presence', 'time');
const productCursors = new Cursors('presence by product', 'text');
const silentCursors = new Cursors('silent devices', 'time', 'int');

@ApiTags('presence')
@Controller('v1')
export class PresenceController {
  constructor(
    private readonly presence: PresenceReader,
    private readonly fleet: PresenceFleetReader,
    private readonly flaps: FlappingReader,
    private readonly silence: SilentReader,
    private readonly scope: UserScope,
  ) {}

  @Get('devices/:device/presence')
  @Answers(
    'When a device was online and when not',
    PresenceIntervalList,
    [400, 404, 409],
    'Every interval that touches the range, each with its true ends, which may lie outside of the range. With `user`, intervals begin and end with the time in which the device was theirs.',
  )
  async intervals(
    @Param() params: DeviceParams,
    @Query() query: PresenceIntervalsQuery,
  ): Promise<ListAnswer<PresenceInterval>> {
    const range = rangeOf(query);
    const user = userOf(query);
    const question = [params.device, range, user];
    const page = { limit: query.limit, after: intervalCursors.read(question, query.cursor) };
    const { items, next } = await ofDevice(params, (device) =>
      this.scope.asking(device, user, (windows) => this.presence.intervals(device, range, page, windows)),
    );
    return { items, next: intervalCursors.write(question, next) };
  }

  @Get('devices/:device/presence/summary')
  @Answers('How much of a time a device was online', PresenceSummarySchema, [400, 404, 409])
  async summary(@Param() params: DeviceParams, @Query() query: PresenceSummaryQuery): Promise<PresenceSummary> {
    const { from, to } = rangeOf({ ...query, order: 'asc' });
    const user = userOf(query);
    return ofDevice(params, (device) =>
      this.scope.asking(device, user, (windows) => this.presence.summary(device, { from, to }, new Date(), windows)),
    );
  }

  @Get('presence')
  @Answers(
    'How many devices are online now, together and by product',
    FleetPresenceSchema,
    [400],
    'Counted without deleted devices, about a second behind what is stored.',
  )
  async now(@Query() query: FleetPresenceQuery): Promise<FleetCount & ListAnswer<ProductCount>> {
    const { limit, cursor, filter } = query;
    const page = { limit, after: productCursors.read([filter], cursor) };
    const { total, products } =
      filter === undefined ? await this.fleet.now(page) : await this.fleet.nowOf(parseFilter(filter), page);
    return { ...total, items: products.items, next: productCursors.write([filter], products.next) };
  }

  @Get('presence/curve')
  @Answers(
    'How many devices were online, over time',
    PresenceCurve,
    [400],
    'A point at `from` and at every beginning of an interval behind it. All points: there is no second page.',
  )
  async curve(@Query() query: PresenceCurveQuery): Promise<ListAnswer<FleetPoint>> {
    const moments = curveMoments(query, new Date());
    return { items: await this.fleet.curve(moments, query.productKey ?? null), next: null };
  }

  @Get('presence/flapping')
  @Answers(
    'The devices that went on- and offline most often',
    FlappingListSchema,
    [400],
    'The first so many of them: ask for more with `limit`.',
  )
  async flapping(
    @Query() query: FlappingQuery,
  ): Promise<ListAnswer<FlappingDevice> & { readonly othersAtMost: number }> {
    const { from, to } = flappingDays(query, new Date());
    const { items, othersAtMost } = await this.flaps.most(from, to, query.limit, query.productKey ?? null);
    return { items, othersAtMost, next: null };
  }

  @Get('presence/silent')
  @Answers(
    'Devices that have been silent for longer than is their habit',
    SilentList,
    [400],
    'About by when they were heard last. A page looks at a limited number of devices: it can be short, or even empty, while `next` says that there is more.',
  )
  async silent(@Query() query: SilentQuery): Promise<ListAnswer<SilentDevice>> {
    const { limit, cursor, factor, productKey = null } = query;
    const question = [factor, productKey];
    const page = { limit, after: silentCursors.read(question, cursor) };
    const { items, next } = await this.silence.list({ factor, productKey, now: new Date() }, page);
    return { items, next: silentCursors.write(question, next) };
  }
}
