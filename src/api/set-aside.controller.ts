import { Controller, Delete, Get, NotFoundException, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { SERVICE_VERSION } from '../config/service-version.js';
import { Replay, type ReplayResult } from '../domain/replay.js';
import {
  type ReasonCount,
  type SetAsideMessageView,
  SetAsideReader,
  type SetAsideView,
} from '../storage/set-aside.reader.js';
import { SetAsideRemover } from '../storage/set-aside.remover.js';
import { Answers } from './answers.js';
import { Cursors } from './cursor.js';
import type { ListAnswer } from './list-answer.js';
import { BadParameters } from './problem.js';
import {
  NoQuery,
  RemoveSetAsideQuery,
  ReplayQuery,
  SetAsideFilterQuery,
  SetAsideParams,
  SetAsideQuery,
} from './queries.js';
import { RemovedSchema, ReplaySchema, SetAsideCountsSchema, SetAsideList, SetAsideMessageSchema } from './schemas.js';
import { meansAll, setAsideFilterOf } from './set-aside-filter.js';

const cursors = new Cursors('set-aside', 'time', 'uuid');

interface SetAsideCounts {
  readonly total: number;
  readonly version: string;
  readonly reasons: readonly ReasonCount[];
}

@ApiTags('set aside')
@Controller('v1/set-aside')
export class SetAsideController {
  constructor(
    private readonly messages: SetAsideReader,
    private readonly replays: Replay,
    private readonly remover: SetAsideRemover,
  ) {}

  @Get()
  @Answers(
    'Messages that could not be understood, the newest first',
    SetAsideList,
    [400],
    'With several filters a page can be short, or even empty, while `next` says that there is more.',
  )
  async list(@Query() query: SetAsideQuery): Promise<ListAnswer<SetAsideView>> {
    const filter = setAsideFilterOf(query);
    const page = { limit: query.limit, after: cursors.read(filter, query.cursor) };
    const { items, next } = await this.messages.list(filter, page);
    return { items, next: cursors.write(filter, next) };
  }

  @Get('counts')
  @Answers('How many messages could not be understood, by the reason', SetAsideCountsSchema, [400])
  async counts(@Query() query: SetAsideFilterQuery): Promise<SetAsideCounts> {
    const reasons = await this.messages.counts(setAsideFilterOf(query));
    return { total: reasons.reduce((sum, { count }) => sum + count, 0), version: SERVICE_VERSION, reasons };
  }

  @Get(':id')
  @Answers('One of them with everything that was kept', SetAsideMessageSchema, [400, 404])
  async one(@Param() { id }: SetAsideParams, @Query() _: NoQuery): Promise<SetAsideMessageView> {
    const message = await this.messages.find(id);
    if (!message) throw noMessage(id);
    return message;
  }

  @Post(':id/replay')
  @Answers(
    'Tries a message again',
    ReplaySchema,
    [400, 404],
    'Answers which rows changed. A dry run does the real write, rolls it back and answers which rows would change.',
  )
  async replay(@Param() { id }: SetAsideParams, @Query() { dryRun }: ReplayQuery): Promise<ReplayResult> {
    const result = await this.replays.replay(id, { dryRun });
    if (!result) throw noMessage(id);
    return result;
  }

  @Delete(':id')
  @Answers('Removes a message for good', RemovedSchema, [400, 404])
  async remove(@Param() { id }: SetAsideParams, @Query() _: NoQuery): Promise<{ readonly removed: number }> {
    if (!(await this.remover.one(id))) throw noMessage(id);
    return { removed: 1 };
  }

  @Delete()
  @Answers(
    'Removes messages for good: those of a filter, or with `all=true` all of them',
    RemovedSchema,
    [400],
    'Counts stay as they are. A message removed here is a duplicate when it is delivered once more.',
  )
  async removeAll(@Query() query: RemoveSetAsideQuery): Promise<{ readonly removed: number }> {
    const filter = setAsideFilterOf(query);
    if (meansAll(filter) !== query.all) {
      const detail = query.all
        ? 'cannot be true together with a filter'
        : 'must be true to remove all messages; give a filter to remove some';
      throw new BadParameters([{ parameter: 'all', detail }]);
    }
    return { removed: await this.remover.all(filter) };
  }
}

function noMessage(id: string): NotFoundException {
  return new NotFoundException(`No message ${id} was set aside`);
}
