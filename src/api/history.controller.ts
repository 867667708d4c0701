import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { EventReader, type EventView } from '../storage/event.reader.js';
import { ReadingReader, type ReadingView } from '../storage/reading.reader.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
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

  @Get('devices/:device/readings')
  @Answers('Every value that properties of a device ever had', ReadingList, [400, 404, 409])
  async history(@Param() params: DeviceParams, @Query() query: ReadingsQuery): Promise<ListAnswer<ReadingView>> {
    const range = rangeOf(query);
    const identifiers = query.identifier ? [...new Set(query.identifier)].sort() : null;
    const question = [params.device, identifiers, range];
    const page = { limit: query.limit, after: readingCursors.read(question, query.cursor) };
    const { items, next } = await ofDevice(params, (device) => this.readings.history(device, identifiers, range, page));
    return { items, next: readingCursors.write(question, next) };
  }

  @Get('devices/:device/events')
  @Answers(
    'What else happened to a device',
    EventList,
    [400, 404, 409],
    'A page looks at a limited number of events: with a filter it can be short, or even empty, while `next` says that there is more.',
  )
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

  @Get('events')
  @Answers(
    'What happened to any device, and to products',
    EventList,
    [400],
    'A page looks at a limited number of events: with a filter it can be short, or even empty, while `next` says that there is more.',
  )
  async allEvents(@Query() query: EventsQuery): Promise<ListAnswer<EventView>> {
    const { productKey, kind } = query;
    const range = rangeOf(query);
    const question = [productKey, kind, range];
    const page = { limit: query.limit, after: eventCursors.read(question, query.cursor) };
    const { items, next } = await this.events.all({ productKey, kind }, range, page);
    return { items, next: eventCursors.write(question, next) };
  }
}
