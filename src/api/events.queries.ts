import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { bucketsOf, isTimeZone } from '../domain/calendar-buckets.js';
import { DAY_MS, parseInterval } from '../domain/interval.js';
import { type CountedBy, COUNTED_BY } from '../storage/event-count.reader.js';
import type { EventFilter } from '../storage/event.reader.js';
import type { Bounds } from '../storage/reading-source.js';
import { Text, Texts, Time } from './parameters.js';
import { BadParameters } from './problem.js';
import { RangeQuery, rangeOf } from './queries.js';
import { UserScopeQuery } from './user-scope.queries.js';

const several = (description: string, example?: string) =>
  ApiPropertyOptional({
    type: 'array',
    items: { type: 'string' },
    description: `${description} Give it several times for several.`,
    ...(example !== undefined && { example: [example] }),
  });

const time = (description: string) =>
  ApiPropertyOptional({
    type: 'string',
    description: `${description} RFC 3339 or epoch milliseconds.`,
    example: '2026-11-22T07:00:00.000Z',
  });

/** Which events of one device. */
class DeviceEventFilterQuery extends UserScopeQuery {
  @IsOptional()
  @Texts(64, 20)
  @several('Only events of this kind.', 'event-raised')
  readonly kind?: readonly string[];

  @IsOptional()
  @Texts(256, 20)
  @several('Only events of this identifier of the thing model (of a binding: of this user).')
  readonly identifier?: readonly string[];

  @IsOptional()
  @Texts(64, 20)
  @several('Only events of this type, such as `error`, `online` or the action of a life cycle.')
  readonly type?: readonly string[];

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Only what names this request.' })
  readonly requestId?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Text in the value, whatever the case.' })
  readonly q?: string;
}

/** Which events of all. */
class EventFilterQuery extends DeviceEventFilterQuery {
  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Only events of this product and its devices.' })
  readonly productKey?: string;
}

export class DeviceEventsQuery extends IntersectionType(RangeQuery, DeviceEventFilterQuery) {}

export class EventsQuery extends IntersectionType(RangeQuery, EventFilterQuery) {}

/** How events are counted. */
class CountingQuery {
  @IsOptional()
  @Time()
  @time('From this time on; a day before `to` when missing.')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('Before this time; now when missing.')
  readonly to?: Date;

  @IsOptional()
  @Text(64)
  @ApiPropertyOptional({
    default: 'PT1H',
    description: 'How long a bucket is: an ISO 8601 duration such as PT5M, P1D or P1M.',
  })
  readonly interval: string = 'PT1H';

  @IsOptional()
  @Text(64)
  @ApiPropertyOptional({ default: 'UTC', description: 'On whose calendar buckets begin: an IANA time zone.' })
  readonly timeZone: string = 'UTC';

  @IsOptional()
  @IsIn(COUNTED_BY, { message: `must be one of ${COUNTED_BY.join(', ')}` })
  @ApiPropertyOptional({ enum: COUNTED_BY, description: 'What the counts are told apart by.' })
  readonly by?: CountedBy;
}

export class DeviceEventCountsQuery extends IntersectionType(CountingQuery, DeviceEventFilterQuery) {}

export class EventCountsQuery extends IntersectionType(CountingQuery, EventFilterQuery) {}

export class RequestParams {
  @Text(256)
  @ApiProperty({ example: '1678239049931' })
  readonly requestId!: string;
}

/** The same events in the same words, whatever order they are named in. */
export function eventFilterOf(query: DeviceEventFilterQuery & { readonly productKey?: string }): EventFilter {
  const { productKey, kind, identifier, type, requestId, q } = query;
  return { productKey, kinds: sorted(kind), identifiers: sorted(identifier), types: sorted(type), requestId, q };
}

function sorted(texts: readonly string[] | undefined): readonly string[] | undefined {
  return texts && texts.length > 0 ? [...new Set(texts)].sort() : undefined;
}

const MOST_BUCKETS = 1_000;

/** The buckets of a question about counts. @throws BadParameters */
export function countBucketsOf({ from, to, interval: text, timeZone }: CountingQuery, now: Date): readonly Bounds[] {
  const end = to ?? now;
  const begin = from ?? new Date(end.getTime() - DAY_MS);
  rangeOf({ from: begin, to: end, order: 'desc' });
  const interval = parseInterval(text);
  if (typeof interval === 'string')
    throw new BadParameters([{ parameter: 'interval', detail: `${interval}, not "${text}"` }]);
  if (!isTimeZone(timeZone)) {
    throw new BadParameters([
      { parameter: 'timeZone', detail: `must be an IANA time zone such as Asia/Shanghai, not "${timeZone}"` },
    ]);
  }
  const buckets = bucketsOf(interval, timeZone, { low: begin.getTime(), high: end.getTime() }, MOST_BUCKETS);
  if (buckets !== null) return buckets;
  throw new BadParameters([
    {
      parameter: 'interval',
      detail: `would cut the range into more than ${MOST_BUCKETS} pieces: take a longer one, or bring from and to nearer to each other`,
    },
  ]);
}
