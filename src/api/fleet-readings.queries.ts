import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { Text } from './parameters.js';
import { ReadingsQuery } from './queries.js';

export class FleetReadingsQuery extends OmitType(ReadingsQuery, ['order', 'user', 'tenantId', 'scopeId']) {
  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ example: 'a1B2c3D4e5F', description: 'Only devices of this product.' })
  readonly productKey?: string;
}
