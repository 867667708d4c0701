import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ReadingReader, type ReadingView } from '../storage/reading.reader.js';
import { UserScope } from '../storage/user-scope.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { DeviceParams, ofDevice } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { rangeOf, ReadingsQuery } from './queries.js';
import { ReadingList } from './schemas.js';
import { userOf } from './user-scope.queries.js';

const readingCursors = new Cursors('readings', 'time', 'text');

@ApiTags('history')
@Controller('v1')
export class HistoryController {
  constructor(
    private readonly readings: ReadingReader,
    private readonly scope: UserScope,
  ) {}

  @Get('devices/:device/readings')
  @Answers('Every value that properties of a device ever had', ReadingList, [400, 404, 409])
  async history(@Param() params: DeviceParams, @Query() query: ReadingsQuery): Promise<ListAnswer<ReadingView>> {
    const range = rangeOf(query);
    const identifiers = query.identifier ? [...new Set(query.identifier)].sort() : null;
    const user = userOf(query);
    const question = [params.device, identifiers, range, user];
    const page = { limit: query.limit, after: readingCursors.read(question, query.cursor) };
    const { items, next } = await ofDevice(params, (device) =>
      this.scope.asking(device, user, (windows) => this.readings.history(device, identifiers, range, page, windows)),
    );
    return { items, next: readingCursors.write(question, next) };
  }
}
