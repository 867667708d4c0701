import { ApiProperty } from '@nestjs/swagger';
import { ReadingsQuery } from './queries.js';
import { Texts } from './parameters.js';

/** Readings of several devices. */
export class SeveralReadingsQuery extends ReadingsQuery {
  @Texts(600, 100)
  @ApiProperty({
    type: 'array',
    items: { type: 'string' },
    example: ['a1B2c3D4e5F:lock-0001'],
    description: '`productKey:deviceName`, or an iotId; give it several times for several devices, at most 100.',
  })
  readonly device!: readonly string[];
}
