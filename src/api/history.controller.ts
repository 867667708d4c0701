import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ReadingReader, type ReadingView } from '../storage/reading.reader.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { rangeOf, ReadingsQuery } from './queries.js';
import { ReadingList } from './schemas.js';

const readingCursors = new Cursors('readings', 'time', 'text');

@ApiTags('history')
@Controller('v1')
export class HistoryController {
  constructor(private readonly readings: ReadingReader) {}

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
}
