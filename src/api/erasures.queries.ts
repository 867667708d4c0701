import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, Matches } from 'class-validator';
import { Text } from './parameters.js';

/** A user of one tenant or scope. */
export class NarrowedUserQuery {
  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Only as a user of this tenant.' })
  readonly tenantId?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: 'Only as a user in this isolation scope.' })
  readonly scopeId?: string;
}

export class ErasureParams {
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.toLowerCase() : value))
  @Matches(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, { message: 'must be the id of an erasure' })
  @ApiProperty({ example: '8c1f6a52-3f0b-4d0e-8a51-1d6c2f1b7e91' })
  readonly id!: string;
}
