import { Body, Controller, Delete, Get, NotFoundException, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Replays } from '../domain/replay.js';
import { ReplayJobReader, type ReplayJobView } from '../storage/replay-job.reader.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import type { ListAnswer } from './list-answer.js';
import { NoQuery, PageQuery, ReplayJobParams, SetAsideFilterQuery } from './queries.js';
import { ReplayJobList, ReplayJobSchema } from './schemas.js';
import { mergedFilterOf } from './set-aside-filter.js';

const cursors = new Cursors('set-aside-replays', 'time', 'uuid');

/** Replays of many messages. */
@ApiTags('set aside')
@Controller('v1/set-aside')
export class SetAsideReplaysController {
  constructor(
    private readonly replays: Replays,
    private readonly jobs: ReplayJobReader,
  ) {}

  @Post('replay')
  @ApiBody({ type: SetAsideFilterQuery, required: false })
  @Answers(
    'Begins to replay messages: those of a filter (in the address or in the body), or all that are aside',
    ReplayJobSchema,
    [400],
    'Goes on in the background, also when the caller leaves or the service is restarted; `Location` is where to look. ' +
      'Messages that a replay made events of are left out unless `replayed=true` asks for them. One replay at a time is ' +
      'under way; the others wait. After an update, `outdated=true` tries what other versions refused.',
    202,
  )
  async start(
    @Query() query: SetAsideFilterQuery,
    @Body() body: SetAsideFilterQuery, // undefined when there is none: `| undefined` would hide the class from validation
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReplayJobView> {
    const id = await this.replays.start(mergedFilterOf(query, body));
    void reply.header('Location', `/v1/set-aside/replays/${id}`);
    return this.found(id);
  }

  @Get('replays')
  @Answers('Replays of many messages, the newest first', ReplayJobList, [400])
  async list(@Query() { limit, cursor }: PageQuery): Promise<ListAnswer<ReplayJobView>> {
    const { items, next } = await this.jobs.list({ limit, after: cursors.read(null, cursor) });
    return { items, next: cursors.write(null, next) };
  }

  @Get('replays/:id')
  @Answers('How far a replay has come', ReplayJobSchema, [400, 404])
  async one(@Param() { id }: ReplayJobParams, @Query() _: NoQuery): Promise<ReplayJobView> {
    return this.found(id);
  }

  @Delete('replays/:id')
  @Answers(
    'Ends a replay where it is',
    ReplayJobSchema,
    [400, 404],
    'What it has done stays done. A replay that is over stays as it is.',
  )
  async cancel(@Param() { id }: ReplayJobParams, @Query() _: NoQuery): Promise<ReplayJobView> {
    await this.replays.cancel(id);
    return this.found(id);
  }

  private async found(id: string): Promise<ReplayJobView> {
    const job = await this.jobs.find(id);
    if (!job) throw new NotFoundException(`There is no replay ${id}`);
    return job;
  }
}
