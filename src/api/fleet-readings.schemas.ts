import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ANY_VALUE, anyJson, DEVICE, NEXT, TIME } from './schemas.js';

/** The order of these is that of the columns which `FleetReadingReader` writes. */
export class FleetReadingSchema {
  @ApiProperty(DEVICE)
  readonly device!: string;

  @ApiProperty({ type: 'string', example: 'CurrentTemperature' })
  readonly identifier!: string;

  @ApiProperty(ANY_VALUE)
  readonly value!: unknown;

  @ApiProperty(TIME)
  readonly at!: string;

  @ApiPropertyOptional({
    type: 'array',
    items: { oneOf: anyJson() },
    description: 'Only when several values came for one millisecond: all of them; `value` is the last.',
  })
  readonly values?: unknown[];
}

export class FleetReadingList {
  @ApiProperty({ type: [FleetReadingSchema] })
  readonly items!: FleetReadingSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}
