import { Controller, Get, NotFoundException, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { EventCountReader, type EventCountView, TooMuchToCount } from '../storage/event-count.reader.js';
import { EventReader, type EventView } from '../storage/event.reader.js';
import { TooManyWindows } from '../storage/user-windows.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import {
  countBucketsOf,
  DeviceEventCountsQuery,
  DeviceEventsQuery,
  EventCountsQuery,
  eventFilterOf,
  EventsQuery,
  RequestParams,
} from './events.queries.js';
import { EventCountList } from './events.schemas.js';
import type { ListAnswer } from './list-answer.js';
import { BadParameters } from './problem.js';
import { RangeQuery, rangeOf } from './queries.js';
import { EventList } from './schemas.js';
import { userOf } from './user-scope.queries.js';

const cursors = new Cursors('events', 'time', 'uuid');
const requestCursors = new Cursors('requests', 'time', 'uuid');

const PAGES =
  'A page looks at a limited number of events: with a filter it can be short, or even empty, while `next` says that there is more.';
const COUNTS = 'Buckets without events are told, too. A range with too many events to count is refused.';

/** The log of what happened. */
@ApiTags('events')
@Controller('v1')
export class EventsController {
  constructor(
    private readonly events: EventReader,
    private readonly counts: EventCountReader,
  ) {}

  @Get('devices/:device/events')
  @Answers('What else happened to a device', EventList, [400, 404, 409], PAGES)
  async ofDevice(@Param() params: DeviceParams, @Query() query: DeviceEventsQuery): Promise<ListAnswer<EventView>> {
    const { limit, cursor } = query;
    const [range, filter, user] = [rangeOf(query), eventFilterOf(query), userOf(query)];
    const question = [params.device, filter, range, user];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await ofDevice(params, (device) => this.events.ofDevice(device, filter, range, page, user));
    return { items, next: cursors.write(question, next) };
  }

  @Get('devices/:device/events/counts')
  @Answers('How many events of a device there were, through time', EventCountList, [400, 404, 409], COUNTS)
  async countsOfDevice(
    @Param() params: DeviceParams,
    @Query() query: DeviceEventCountsQuery,
  ): Promise<ListAnswer<EventCountView>> {
    const question = questionOf(query);
    const items = await narrowed(() => ofDevice(params, (device) => this.counts.ofDevice(device, question)));
    return { items, next: null };
  }

  @Get('events')
  @Answers('What happened to any device, and to products', EventList, [400], PAGES)
  async all(@Query() query: EventsQuery): Promise<ListAnswer<EventView>> {
    const { limit, cursor } = query;
    const [range, filter, user] = [rangeOf(query), eventFilterOf(query), userOf(query)];
    const question = [filter, range, user];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await narrowed(() => this.events.all(filter, range, page, user));
    return { items, next: cursors.write(question, next) };
  }

  @Get('events/counts')
  @Answers('How many events of any device there were, through time', EventCountList, [400], COUNTS)
  async countsOfAll(@Query() query: EventCountsQuery): Promise<ListAnswer<EventCountView>> {
    return { items: await narrowed(() => this.counts.all(questionOf(query))), next: null };
  }

  @Get('requests/:requestId')
  @Answers(
    'The reply to a command, whichever device it was sent to',
    EventList,
    [400, 404],
    'The device may answer, and the platform in its place: each is an item, the newest first. 404 while nobody has answered.',
  )
  async request(@Param() { requestId }: RequestParams, @Query() query: RangeQuery): Promise<ListAnswer<EventView>> {
    const { limit, cursor } = query;
    const range = rangeOf(query);
    const question = [requestId, range];
    const after = requestCursors.read(question, cursor);
    const { items, next } = await this.events.all({ requestId, kinds: ['command-replied'] }, range, { limit, after });
    if (items.length === 0 && next === null && after === null) {
      throw new NotFoundException(`Nobody has replied to the request ${requestId}`);
    }
    return { items, next: requestCursors.write(question, next) };
  }
}

function questionOf(query: DeviceEventCountsQuery | EventCountsQuery) {
  return {
    filter: eventFilterOf(query),
    buckets: countBucketsOf(query, new Date()),
    by: query.by,
    user: userOf(query),
  };
}

/** What is too much for one answer is said with how to ask for less. */
async function narrowed<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TooMuchToCount) {
      throw new BadParameters([
        {
          parameter: 'from',
          detail: `is too early: ${error.message}. Bring from and to nearer to each other, or ask for one kind, identifier or device`,
        },
      ]);
    }
    if (error instanceof TooManyWindows) {
      throw new BadParameters([
        {
          parameter: 'user',
          detail: `held devices in more than ${error.limit} windows: ask for one device at a time, GET /v1/devices/{device}/events?user=`,
        },
      ]);
    }
    throw error;
  }
}
