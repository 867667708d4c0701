import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { buildMessage, IsIn, IsOptional, ValidateBy, type ValidationArguments } from 'class-validator';
import {
  AGGREGATE_FUNCTIONS,
  type Fill,
  FILLS,
  isAggregateFunction,
  percentileShare,
} from '../domain/aggregate-functions.js';
import { isTimeZone } from '../domain/calendar-buckets.js';
import { type Interval, parseInterval } from '../domain/interval.js';
import { Texts, Time, WholeNumber, Words } from './parameters.js';
import { UserScopeQuery } from './user-scope.queries.js';

/** Which readings of a device are summed up. */
export class SummaryQuery extends UserScopeQuery {
  @IsOptional()
  @Texts(256, 100)
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string' },
    description: 'Only these properties; give it several times for several. All when missing.',
  })
  readonly identifier?: readonly string[];

  @IsOptional()
  @Time()
  @ApiPropertyOptional({
    type: 'string',
    description:
      'From this time on: RFC 3339 or epoch milliseconds. When missing, from when the device was first heard.',
    example: '2026-11-20T00:00:00.000Z',
  })
  readonly from?: Date;

  @IsOptional()
  @Time()
  @ApiPropertyOptional({
    type: 'string',
    description: 'Before this time: RFC 3339 or epoch milliseconds. Now, when missing.',
    example: '2026-11-22T00:00:00.000Z',
  })
  readonly to?: Date;
}

export class AggregatesQuery extends SummaryQuery {
  @AnInterval()
  @ApiProperty({
    type: 'string',
    description:
      'How long a bucket is, as an ISO 8601 duration: months and years, or weeks and days, on the calendar of the time zone; ' +
      'or hours, minutes and seconds.',
    example: 'P1D',
  })
  readonly interval!: Interval;

  @IsOptional()
  @ValidateBy({
    name: 'timeZone',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isTimeZone(value),
      defaultMessage: buildMessage(() => 'must be an IANA time zone such as Asia/Shanghai or UTC'),
    },
  })
  @ApiPropertyOptional({
    default: 'UTC',
    example: 'Asia/Shanghai',
    description: 'Where days begin: an IANA time zone.',
  })
  readonly timeZone: string = 'UTC';

  @IsOptional()
  @Words(
    (word) => isAggregateFunction(word) || percentileShare(word) !== null,
    `must be some of ${AGGREGATE_FUNCTIONS.join(', ')}, and of percentiles such as p50 or p99.9, separated by commas`,
  )
  @ApiPropertyOptional({
    type: 'string',
    default: 'count,avg,min,max',
    example: 'avg,max,p95',
    description: `Some of ${AGGREGATE_FUNCTIONS.join(', ')}, and of percentiles such as p50 or p99.9, separated by commas.`,
  })
  readonly functions: readonly string[] = ['count', 'avg', 'min', 'max'];

  @IsOptional()
  @IsIn(FILLS, { message: `must be ${FILLS.slice(0, -1).join(', ')} or ${FILLS.at(-1) ?? ''}` })
  @ApiPropertyOptional({
    enum: FILLS,
    default: 'none',
    description:
      'Buckets without readings: left out (`none`), shown with nulls (`null`), with what still holds (`previous`), or with ' +
      'what a straight line between the readings around says (`linear`).',
  })
  readonly fill: Fill = 'none';
}

export class SeriesQuery extends SummaryQuery {
  @IsOptional()
  @WholeNumber(5, 5000)
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 5,
    maximum: 5000,
    default: 500,
    description: 'Points of each property at most.',
  })
  readonly points: number = 500;
}

/** An ISO 8601 duration, as an Interval. */
function AnInterval(): PropertyDecorator {
  const parsed = (value: unknown): Interval | string => parseInterval(typeof value === 'string' ? value : '');
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => {
      const interval = parsed(value);
      return typeof interval === 'string' ? value : interval;
    }),
    ValidateBy({
      name: 'interval',
      validator: {
        validate: (value: unknown) => typeof value === 'object' && value !== null && 'kind' in value,
        defaultMessage: (given?: ValidationArguments) => {
          const words = parsed(given?.value);
          return typeof words === 'string' ? words : '';
        },
      },
    }),
  );
}
