import { ApiProperty } from '@nestjs/swagger';

const TIME = { type: 'string', format: 'date-time', example: '2026-11-22T07:35:00.000Z' } as const;
const TIME_OR_NULL = { ...TIME, nullable: true } as const;
const COUNT = { type: 'integer', example: 2 } as const;

class ErasedRowsSchema {
  @ApiProperty(COUNT)
  readonly UserBinding!: number;

  @ApiProperty(COUNT)
  readonly EventLog!: number;
}

class BlankedRowsSchema {
  @ApiProperty(COUNT)
  readonly SetAsideMessage!: number;

  @ApiProperty(COUNT)
  readonly SetAsideReplay!: number;
}

export class ErasureSchema {
  @ApiProperty({ type: 'string', example: '8c1f6a52-3f0b-4d0e-8a51-1d6c2f1b7e91' })
  readonly id!: string;

  @ApiProperty({
    enum: ['waiting', 'running', 'spools', 'done'],
    description: '`spools`: done in the database; spools of replicas may still hold messages from before.',
  })
  readonly state!: string;

  @ApiProperty({
    type: 'string',
    example: '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8',
    description: 'The keyed hash (HMAC-SHA-256) of whom it was asked for. The identity itself is told nowhere.',
  })
  readonly subject!: string;

  @ApiProperty({ type: 'string', example: '0d6c2f1b7e914d8a', description: 'The fingerprint of the key.' })
  readonly key!: string;

  @ApiProperty(TIME)
  readonly requestedAt!: string;

  @ApiProperty(TIME_OR_NULL)
  readonly startedAt!: string | null;

  @ApiProperty({ ...TIME_OR_NULL, description: 'Null while it is not done.' })
  readonly finishedAt!: string | null;

  @ApiProperty({ type: ErasedRowsSchema, description: 'Rows removed, by table.' })
  readonly removed!: ErasedRowsSchema;

  @ApiProperty({ type: BlankedRowsSchema, description: 'Rows in which the identity was blanked, by table.' })
  readonly blanked!: BlankedRowsSchema;

  @ApiProperty({
    type: [String],
    description: 'Replicas whose spools have not been empty since. Start those that are gone again on their disks.',
  })
  readonly waitingFor!: string[];
}

export class ErasureList {
  @ApiProperty({ type: [ErasureSchema] })
  readonly items!: ErasureSchema[];

  @ApiProperty({ type: 'string', nullable: true, description: 'Cursor of the next page, or null.', example: null })
  readonly next!: string | null;
}
