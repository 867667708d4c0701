import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { type DeviceReadingView, MOST_SERIES, ReadingReader, TooManySeries } from '../storage/reading.reader.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import { ofDevices } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { BadParameters } from './problem.js';
import { rangeOf } from './queries.js';
import { SeveralReadingsQuery } from './readings.queries.js';
import { DeviceReadingList } from './readings.schemas.js';
import { userOf } from './user-scope.queries.js';

const cursors = new Cursors('readings of several', 'time', 'text', 'text', 'text');

@ApiTags('history')
@Controller('v1')
export class ReadingsController {
  constructor(private readonly readings: ReadingReader) {}

  @Get('readings')
  @Answers(
    'Every value that properties of several devices ever had, in one list',
    DeviceReadingList,
    [400, 404, 409],
    'By time; at one time by device and identifier.',
  )
  async several(@Query() query: SeveralReadingsQuery): Promise<ListAnswer<DeviceReadingView>> {
    const range = rangeOf(query);
    const devices = [...new Set(query.device)].sort();
    const identifiers = query.identifier ? [...new Set(query.identifier)].sort() : null;
    const user = userOf(query);
    const question = [devices, identifiers, range, user];
    const page = { limit: query.limit, after: cursors.read(question, query.cursor) };
    try {
      const { items, next } = await ofDevices(devices, (references) =>
        this.readings.historyOfSeveral(references, identifiers, range, page, user),
      );
      return { items, next: cursors.write(question, next) };
    } catch (error) {
      if (error instanceof TooManySeries) {
        throw new BadParameters([
          {
            parameter: query.identifier ? 'device' : 'identifier',
            detail: `must name fewer: together these are ${error.count} properties of devices, and a list merges at most ${MOST_SERIES}`,
          },
        ]);
      }
      throw error;
    }
  }
}
