import { Controller, Get, HttpCode, NotFoundException, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Replay, type ReplayResult } from '../domain/replay.js';
import { type SetAsideMessageView, SetAsideReader, type SetAsideView } from '../storage/set-aside.reader.js';
import { ApiProblems } from './api-problems.js';
import { Cursors } from './cursor.js';
import { type ListAnswer } from './list-answer.js';
import { NoQuery, rangeOf, ReplayQuery, SetAsideParams, SetAsideQuery } from './queries.js';
import { ReplaySchema, SetAsideList, SetAsideMessageSchema } from './schemas.js';

const cursors = new Cursors('set-aside', 'time', 'uuid');

@ApiTags('set aside')
@Controller('v1/set-aside')
export class SetAsideController {
  constructor(
    private readonly messages: SetAsideReader,
    private readonly replays: Replay,
  ) {}

  /**
   * Messages that could not be understood, the newest first. With a filter a page can be short, or even empty, while `next`
   * says that there is more.
   */
  @Get()
  @ApiOkResponse({ type: SetAsideList })
  @ApiProblems(400)
  async list(@Query() query: SetAsideQuery): Promise<ListAnswer<SetAsideView>> {
    const { reason, replayed, limit, cursor } = query;
    const { from, to } = rangeOf({ ...query, order: 'desc' });
    const question = [reason, replayed, from, to];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await this.messages.list({ reason, replayed, from, to }, page);
    return { items, next: cursors.write(question, next) };
  }

  /** One of them with everything that was kept. */
  @Get(':id')
  @ApiOkResponse({ type: SetAsideMessageSchema })
  @ApiProblems(400, 404)
  async one(@Param() { id }: SetAsideParams, @Query() _: NoQuery): Promise<SetAsideMessageView> {
    const message = await this.messages.find(id);
    if (!message) throw noMessage(id);
    return message;
  }

  /** Tries a message again. A dry run does the real write, rolls it back and says what would change. */
  @Post(':id/replay')
  @HttpCode(200)
  @ApiOkResponse({ type: ReplaySchema })
  @ApiProblems(400, 404)
  async replay(@Param() { id }: SetAsideParams, @Query() { dryRun }: ReplayQuery): Promise<ReplayResult> {
    const result = await this.replays.replay(id, { dryRun });
    if (!result) throw noMessage(id);
    return result;
  }
}

function noMessage(id: string): NotFoundException {
  return new NotFoundException(`No message ${id} was set aside`);
}
