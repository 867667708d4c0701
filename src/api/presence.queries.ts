import { ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { IsOptional, Matches } from 'class-validator';
import { Text, Time, WholeNumber } from './parameters.js';
import { PageQuery, RangeQuery } from './queries.js';
import { UserScopeQuery } from './user-scope.queries.js';

const time = (description: string) =>
  ApiPropertyOptional({
    type: 'string',
    description: `${description} RFC 3339 or epoch milliseconds.`,
    example: '2026-11-22T00:00:00.000Z',
  });

const productKey = () =>
  ApiPropertyOptional({ example: 'a1B2c3D4e5F', description: 'Only devices of this product; of all when missing.' });

export class PresenceIntervalsQuery extends IntersectionType(RangeQuery, UserScopeQuery) {}

export class PresenceSummaryQuery extends UserScopeQuery {
  @IsOptional()
  @Time()
  @time('From this time on; since the device is known when missing.')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('Before this time; until now when missing.')
  readonly to?: Date;
}

export class FleetPresenceQuery extends PageQuery {
  @IsOptional()
  @Text(4000)
  @ApiPropertyOptional({
    example: 'deviceType eq "SmartDoor"',
    description: 'Only devices that fulfil this condition, which are counted one by one.',
  })
  readonly filter?: string;
}

export class PresenceCurveQuery {
  @IsOptional()
  @Time()
  @time('From this time on, down to whole five minutes; a day before `to` when missing.')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('Before this time; until now when missing.')
  readonly to?: Date;

  @IsOptional()
  @Matches(/^P[0-9A-Z.,]{1,40}$/, { message: 'must be an ISO 8601 duration such as PT5M, PT1H, P1D or P1M' })
  @ApiPropertyOptional({
    default: 'PT1H',
    description: 'How far apart the points are: an ISO 8601 duration of whole five minutes.',
  })
  readonly interval: string = 'PT1H';

  @IsOptional()
  @Text(64)
  @ApiPropertyOptional({ default: 'UTC', description: 'On the calendar and the clock of this IANA time zone.' })
  readonly timeZone: string = 'UTC';

  @IsOptional()
  @Text(256)
  @productKey()
  readonly productKey?: string;
}

export class FlappingQuery {
  @IsOptional()
  @Time()
  @time('From this day on (the beginning of a day in UTC); six days ago when missing.')
  readonly from?: Date;

  @IsOptional()
  @Time()
  @time('Before this day (the beginning of a day in UTC); until now when missing.')
  readonly to?: Date;

  @IsOptional()
  @WholeNumber(1, 100)
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 20, description: 'How many devices.' })
  readonly limit: number = 20;

  @IsOptional()
  @Text(256)
  @productKey()
  readonly productKey?: string;
}

export class SilentQuery extends PageQuery {
  @IsOptional()
  @WholeNumber(1, 1000)
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 3,
    description: 'Silent for more than so many times its habit.',
  })
  readonly factor: number = 3;

  @IsOptional()
  @Text(256)
  @productKey()
  readonly productKey?: string;
}
