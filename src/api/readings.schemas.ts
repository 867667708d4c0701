import { ApiProperty } from '@nestjs/swagger';
import { ReadingSchema } from './schemas.js';

export class DeviceReadingSchema extends ReadingSchema {
  @ApiProperty({ type: 'string', example: 'a1B2c3D4e5F:lock-0001' })
  readonly device!: string;
}

export class DeviceReadingList {
  @ApiProperty({ type: [DeviceReadingSchema] })
  readonly items!: DeviceReadingSchema[];

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'Cursor of the next page, or null.' })
  readonly next!: string | null;
}
