import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { EventReader, type EventView } from '../storage/event.reader.js';
import { ReadingReader, type ReadingView } from '../storage/reading.reader.js';
import { ApiProblems } from './api-problems.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import { type ListAnswer } from './list-answer.js';
import { DeviceEventsQuery, EventsQuery, rangeOf, ReadingsQuery } from './queries.js';
import { EventList, ReadingList } from './schemas.js';

const readingCursors = new Cursors('readings', 'time', 'text');
const eventCursors = new Cursors('events', 'time', 'uuid');

@ApiTags('history')
@Controller('v1')
export class HistoryController {
  constructor(
    private readonly readings: ReadingReader,
    private readonly events: EventReader,
  ) {}

  /** Every value that properties of a device ever had. */
  @Get('devices/:device/readings')
  @ApiOkResponse({ type: ReadingList })
  @ApiProblems(400, 404, 409)
  async history(@Param() params: DeviceParams, @Query() query: ReadingsQuery): Promise<ListAnswer<ReadingView>> {
    const range = rangeOf(query);
    const identifiers = query.identifier ? [...new Set(query.identifier)].sort() : null;
    const question = [params.device, identifiers, range];
    const page = { limit: query.limit, after: readingCursors.read(question, query.cursor) };
    const { items, next } = await ofDevice(params, (device) => this.readings.history(device, identifiers, range, page));
    return { items, next: readingCursors.write(question, next) };
  }

  /**
   * What else happened to a device. A page looks at a limited number of events: with a filter it can be short, or even
   * empty, while `next` says that there is more.
   */
  @Get('devices/:device/events')
  @ApiOkResponse({ type: EventList })
  @ApiProblems(400, 404, 409)
  async eventsOfDevice(
    @Param() params: DeviceParams,
    @Query() query: DeviceEventsQuery,
  ): Promise<ListAnswer<EventView>> {
    const { kind, identifier } = query;
    const range = rangeOf(query);
    const question = [params.device, kind, identifier, range];
    const page = { limit: query.limit, after: eventCursors.read(question, query.cursor) };
    const { items, next } = await ofDevice(params, (device) =>
      this.events.ofDevice(device, { kind, identifier }, range, page),
    );
    return { items, next: eventCursors.write(question, next) };
  }

  /**
   * What happened to any device, and to products. A page looks at a limited number of events: with a filter it can be
   * short, or even empty, while `next` says that there is more.
   */
  @Get('events')
  @ApiOkResponse({ type: EventList })
  @ApiProblems(400)
  async allEvents(@Query() query: EventsQuery): Promise<ListAnswer<EventView>> {
    const { productKey, kind } = query;
    const range = rangeOf(query);
    const question = [productKey, kind, range];
    const page = { limit: query.limit, after: eventCursors.read(question, query.cursor) };
    const { items, next } = await this.events.all({ productKey, kind }, range, page);
    return { items, next: eventCursors.write(question, next) };
  }
}
