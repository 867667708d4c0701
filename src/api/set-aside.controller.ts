import { Controller, Get, HttpCode, NotFoundException, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Replay, type ReplayResult } from '../domain/replay.js';
import { type SetAsideMessageView, SetAsideReader, type SetAsideView } from '../storage/set-aside.reader.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import type { ListAnswer } from './list-answer.js';
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

  @Get()
  @Answers(
    'Messages that could not be understood, the newest first',
    SetAsideList,
    [400],
    'With a filter a page can be short, or even empty, while `next` says that there is more.',
  )
  async list(@Query() query: SetAsideQuery): Promise<ListAnswer<SetAsideView>> {
    const { reason, replayed, limit, cursor } = query;
    const { from, to } = rangeOf({ ...query, order: 'desc' });
    const question = [reason, replayed, from, to];
    const page = { limit, after: cursors.read(question, cursor) };
    const { items, next } = await this.messages.list({ reason, replayed, from, to }, page);
    return { items, next: cursors.write(question, next) };
  }

  @Get(':id')
  @Answers('One of them with everything that was kept', SetAsideMessageSchema, [400, 404])
  async one(@Param() { id }: SetAsideParams, @Query() _: NoQuery): Promise<SetAsideMessageView> {
    const message = await this.messages.find(id);
    if (!message) throw noMessage(id);
    return message;
  }

  @Post(':id/replay')
  @HttpCode(200)
  @Answers(
    'Tries a message again',
    ReplaySchema,
    [400, 404],
    'A dry run does the real write, rolls it back and says what would change.',
  )
  async replay(@Param() { id }: SetAsideParams, @Query() { dryRun }: ReplayQuery): Promise<ReplayResult> {
    const result = await this.replays.replay(id, { dryRun });
    if (!result) throw noMessage(id);
    return result;
  }
}

function noMessage(id: string): NotFoundException {
  return new NotFoundException(`No message ${id} was set aside`);
}
