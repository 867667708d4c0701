import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AggregateReader, type AggregateView, UnanswerableAggregates } from '../storage/aggregate.reader.js';
import { UserScope } from '../storage/user-scope.js';
import { AggregatesQuery } from './aggregates.queries.js';
import { AggregateList } from './aggregates.schemas.js';
import { Answers } from './answers.js';
import { DeviceParams, ofDevice } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { BadParameters } from './problem.js';
import { rangeOf } from './queries.js';
import { userOf } from './user-scope.queries.js';

@ApiTags('history')
@Controller('v1')
export class AggregatesController {
  constructor(
    private readonly readings: AggregateReader,
    private readonly scope: UserScope,
  ) {}

  @Get('devices/:device/aggregates')
  @Answers(
    'What the readings of a device amount to, by buckets of time',
    AggregateList,
    [400, 404, 409],
    'One row a property and bucket, by identifier and time; all of them: there is no second page. What every function says exactly ' +
      'is written in docs/history.md.',
  )
  async aggregates(@Param() params: DeviceParams, @Query() query: AggregatesQuery): Promise<ListAnswer<AggregateView>> {
    const { from, to } = rangeOf({ from: query.from, to: query.to, order: 'asc' });
    const question = { ...query, identifiers: query.identifier ?? null, from, to, now: new Date() };
    const user = userOf(query);
    try {
      const items = await ofDevice(params, (device) =>
        this.scope.asking(device, user, (windows) => this.readings.aggregates(device, question, windows)),
      );
      return { items, next: null };
    } catch (error) {
      if (!(error instanceof UnanswerableAggregates)) throw error;
      throw new BadParameters([{ parameter: error.parameter, detail: error.detail }]);
    }
  }
}
