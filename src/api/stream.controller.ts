import {
  Controller,
  Get,
  Headers,
  HttpException,
  Inject,
  Logger,
  NotFoundException,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Settings } from '../config/settings.js';
import { ChangeLogReader, LostPlace } from '../storage/change-log.reader.js';
import type { ChangeKind } from '../storage/changed-row.views.js';
import { Metrics } from '../telemetry/metrics.js';
import { deviceReference } from './device-params.js';
import { parseFilter } from './filter/parse-filter.js';
import { BadParameters, plainProblem } from './problem.js';
import { StreamQuery } from './stream.queries.js';
import { AnswersWithStream } from './stream.schemas.js';
import { ChangeFeed } from './stream/change-feed.js';
import { ChangeStream } from './stream/change-stream.js';
import { readEventId, type StreamPosition } from './stream/event-id.js';
import { StreamPlaceLost } from './stream/lost-place.js';
import type { Selection } from './stream/selection.js';

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no', // nginx
  Connection: 'close', // whoever comes back does so with a new one, perhaps to another replica
};

@ApiTags('stream')
@Controller('v1/stream')
export class StreamController {
  private readonly logger = new Logger(StreamController.name);

  constructor(
    private readonly feed: ChangeFeed,
    private readonly log: ChangeLogReader,
    private readonly metrics: Metrics,
    @Inject(Settings) private readonly settings: Settings,
  ) {}

  @Get()
  @AnswersWithStream()
  async changes(
    @Query() query: StreamQuery,
    @Headers('last-event-id') header: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (this.settings.streamKeepHours === 0)
      throw new NotFoundException('There are no streams: STREAM_KEEP_HOURS is 0');
    if (!acceptsStream(request.headers.accept))
      throw new HttpException('This route answers text/event-stream only', 406);
    const selection = selectionOf(query);
    const position = await this.positionOf(query, header);
    const goal = query.follow ? null : await this.feed.goal();
    if (request.raw.destroyed) return;
    if (this.feed.isStopped || this.feed.size >= this.settings.streamLimit) {
      const detail = `There are ${this.settings.streamLimit} streams already (STREAM_LIMIT): try again later`;
      throw new HttpException(plainProblem(503, detail), 503);
    }
    reply.hijack();
    reply.raw.writeHead(200, HEADERS);
    if (request.method === 'HEAD') {
      reply.raw.end();
      return;
    }
    reply.raw.flushHeaders();
    const stream = new ChangeStream(this.feed, reply.raw, { position, selection, goal });
    stream.run().then(
      (end) => this.metrics.streamsEnded.inc({ reason: end }),
      (error: unknown) => {
        this.metrics.streamsEnded.inc({ reason: 'fault' });
        this.logger.error('A stream failed', error);
      },
    );
  }

  /** Where to begin: behind the id that a reader had last, at a time, or now. */
  private async positionOf({ lastEventId, from }: StreamQuery, header: string | undefined): Promise<StreamPosition> {
    // A browser that comes back asks at the same address; only its header says how far it came.
    const id = header || lastEventId;
    try {
      if (id === undefined) return await (from ? this.log.since(from) : this.log.now());
      const position = readEventId(id);
      if (position === null) {
        const detail = 'must be the id of an event of this stream, as it was sent';
        throw new BadParameters([{ parameter: header ? 'Last-Event-ID' : 'lastEventId', detail }]);
      }
      const { epoch } = await this.log.check(position.epoch, position.place);
      return { epoch, place: position.place };
    } catch (error) {
      throw error instanceof LostPlace ? new StreamPlaceLost(error) : error;
    }
  }
}

const WITH_IDENTIFIER: readonly ChangeKind[] = ['reading', 'event'];

function selectionOf({ filter, kinds, identifier, productKey, device }: StreamQuery): Selection {
  for (const one of device ?? []) deviceReference({ device: one });
  const set = <T>(given: readonly T[] | undefined): ReadonlySet<T> | null => (given ? new Set(given) : null);
  return {
    kinds: set(kinds ?? (identifier && WITH_IDENTIFIER)),
    identifiers: set(identifier),
    productKeys: set(productKey),
    devices: set(device),
    filter: filter === undefined ? null : { text: filter, expression: parseFilter(filter) },
  };
}

/** Whether an Accept header has room for a stream of events. */
function acceptsStream(accept: string | undefined): boolean {
  if (accept === undefined) return true;
  const types = accept.split(',').map((part) => part.split(';', 1)[0]?.trim().toLowerCase());
  return ['text/event-stream', 'text/*', '*/*'].some((type) => types.includes(type));
}
