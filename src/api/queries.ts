import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsOptional, Matches } from 'class-validator';
import { type PeriodLength, PERIODS } from '../storage/ledger.reader.js';
import type { TimeRange } from '../storage/reading.reader.js';
import { Flag, Text, Texts, Time, WholeNumber } from './parameters.js';
import { BadParameters } from './problem.js';
import { UserScopeQuery } from './user-scope.queries.js';

/** How much of a list, and from where on. */
export class PageQuery {
  @IsOptional()
  @WholeNumber(1, 1000)
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 50,
    description: 'Items in a page. As NDJSON or CSV up to 10000, and all of the list without it.',
  })
  readonly limit: number = 50;

  @IsOptional()
  @Text(4096)
  @ApiPropertyOptional({ description: '`next` of the page before.' })
  readonly cursor?: string;
}

const time = (description: string) =>
  ApiPropertyOptional({
    type: 'string',
    description: `${description} RFC 3339 or epoch milliseconds.`,
    example: '2026-11-22T07:00:00.000Z',
  });

/** A page of what happened in a stretch of time. */
export class RangeQuery extends PageQuery {
  @IsOptional()
  @Time()
  @time('From this time on.')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('Before this time.')
  readonly to?: Date;

  @IsOptional()
  @IsIn(['asc', 'desc'], { message: 'must be asc or desc' })
  @ApiPropertyOptional({ enum: ['asc', 'desc'], default: 'desc', description: 'The newest first, or the oldest.' })
  readonly order: 'asc' | 'desc' = 'desc';
}

export class IngestQuery {
  @IsOptional()
  @Time()
  @time('`totals` of what was received from this time on (by the minute).')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('`totals` of what was received before this time.')
  readonly to?: Date;
}

export class LedgerQuery extends RangeQuery {
  @IsOptional()
  @IsIn(Object.keys(PERIODS), { message: 'must be minute, hour or day' })
  @ApiPropertyOptional({ enum: Object.keys(PERIODS), default: 'minute', description: 'How long a period is (UTC).' })
  readonly by: PeriodLength = 'minute';

  @IsOptional()
  @Text(64)
  @ApiPropertyOptional({ example: 'amqp' })
  readonly transport?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Only what this replica received (AMQP_CLIENT_ID).' })
  readonly replica?: string;
}

/** @throws BadParameters when the range is empty by mistake */
export function rangeOf({ from, to, order }: Pick<RangeQuery, 'from' | 'to' | 'order'>): TimeRange {
  if (from && to && from.getTime() >= to.getTime()) {
    throw new BadParameters([{ parameter: 'from', detail: 'must be before `to`: ranges are half open, [from, to)' }]);
  }
  return { from: from ?? null, to: to ?? null, order };
}

export class ReadingsQuery extends IntersectionType(RangeQuery, UserScopeQuery) {
  @IsOptional()
  @Texts(256, 100)
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string' },
    description: 'Only these properties; give it several times for several. All when missing.',
  })
  readonly identifier?: readonly string[];
}

/** Which set-aside messages are meant, in a query or in a body. */
export class SetAsideFilterQuery {
  @IsOptional()
  @Text(64)
  @ApiPropertyOptional({ example: 'not-json' })
  readonly reason?: string;

  @IsOptional()
  @Text(64)
  @ApiPropertyOptional({
    example: 'property-post',
    description:
      "The kind that the message seems to be of, by its body's shape or else its topic; `custom` for a device's own topic.",
  })
  readonly kind?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ example: 'a1B2c3D4e5F', description: 'The product that the message names.' })
  readonly productKey?: string;

  @IsOptional()
  @Text(600)
  @ApiPropertyOptional({ example: 'a1B2c3D4e5F:lock-0001', description: 'The device that the message names.' })
  readonly device?: string;

  @IsOptional()
  @Text(4096)
  @ApiPropertyOptional({ example: '/a1B2c3D4e5F/lock-0001/thing/event/property/post' })
  readonly topic?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ example: '/a1B2c3D4e5F/', description: 'What the topic begins with.' })
  readonly topicPrefix?: string;

  @IsOptional()
  @Time()
  @time('Received from this time on.')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('Received before this time.')
  readonly to?: Date;

  @IsOptional()
  @Flag()
  @ApiPropertyOptional({ type: 'boolean', description: 'Only those that a replay made events of, or only the others.' })
  readonly replayed?: boolean;

  @IsOptional()
  @Text(128)
  @ApiPropertyOptional({ example: '0.1.0-3f9a1c2b', description: 'The version of the service that refused them last.' })
  readonly refusedBy?: string;

  @IsOptional()
  @Flag()
  @ApiPropertyOptional({
    type: 'boolean',
    description: 'True: refused last by a version other than the one that answers. False: by this one.',
  })
  readonly outdated?: boolean;
}

export class SetAsideQuery extends IntersectionType(PageQuery, SetAsideFilterQuery) {}

export class RemoveSetAsideQuery extends SetAsideFilterQuery {
  @IsOptional()
  @Flag()
  @ApiPropertyOptional({
    type: 'boolean',
    default: false,
    description: 'Needed, and only allowed, without any filter.',
  })
  readonly all: boolean = false;
}

export class ReplayQuery {
  @IsOptional()
  @Flag()
  @ApiPropertyOptional({ type: 'boolean', default: false, description: 'Do the real write, then roll it back.' })
  readonly dryRun: boolean = false;
}

/** For routes that take no parameters but the path. */
export class NoQuery {}

export class UserParams {
  @Text(256)
  @ApiProperty({ example: '50ebop9xxxxxxxxxxxxxxxxxxxxxxxxxxxxx7384' })
  readonly identityId!: string;
}

export class ReplayJobParams {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @Matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, { message: 'must be the id of a replay' })
  @ApiProperty({ example: '4d8a3f0e-6f0b-4c6e-9a51-0d6c2f1b7e90' })
  readonly id!: string;
}

export class SetAsideParams {
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.toLowerCase().replaceAll('-', '') : value,
  )
  @Matches(/^[0-9a-f]{32}$/, { message: 'must be an id of a set-aside message: 32 hexadecimal digits' })
  @ApiProperty({ example: '0123456789abcdef0123456789abcdef' })
  readonly id!: string;
}
