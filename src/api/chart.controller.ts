import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ChartReader, type ChartView, UnanswerableChart } from '../storage/chart.reader.js';
import { UserScope } from '../storage/user-scope.js';
import { SeriesQuery } from './aggregates.queries.js';
import { Answers } from './answers.js';
import { ChartList } from './chart.schemas.js';
import { DeviceParams, ofDevice } from './device-params.js';
import type { ListAnswer } from './list-answer.js';
import { BadParameters } from './problem.js';
import { rangeOf } from './queries.js';
import { userOf } from './user-scope.queries.js';

@ApiTags('history')
@Controller('v1')
export class ChartController {
  constructor(
    private readonly charts: ChartReader,
    private readonly scope: UserScope,
  ) {}

  @Get('devices/:device/series')
  @Answers(
    'Properties of a device over time, thinned out for a chart',
    ChartList,
    [400, 404, 409],
    'The first and the last reading, of every stretch of time its lowest and its highest, and what Largest Triangle Three Buckets ' +
      'picks: no spike disappears, and every point was reported. All properties: there is no second page.',
  )
  async series(@Param() params: DeviceParams, @Query() query: SeriesQuery): Promise<ListAnswer<ChartView>> {
    const { from, to } = rangeOf({ from: query.from, to: query.to, order: 'asc' });
    const question = { identifiers: query.identifier ?? null, from, to, points: query.points };
    const user = userOf(query);
    try {
      const items = await ofDevice(params, (device) =>
        this.scope.asking(device, user, (windows) => this.charts.chart(device, question, windows)),
      );
      return { items, next: null };
    } catch (error) {
      if (!(error instanceof UnanswerableChart)) throw error;
      throw new BadParameters([{ parameter: error.parameter, detail: error.detail }]);
    }
  }
}
