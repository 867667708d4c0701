import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { Time } from './parameters.js';

/** For routes about one device. */
export class AsOfQuery {
  @IsOptional()
  @Time()
  @ApiPropertyOptional({
    type: 'string',
    description:
      'As it was at this time, by device time, instead of now. RFC 3339 or epoch milliseconds, not in the future.',
    example: '2026-11-22T07:00:00.000Z',
  })
  readonly at?: Date;
}
