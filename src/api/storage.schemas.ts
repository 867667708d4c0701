import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';

const BYTES = { type: 'number', example: 1_234_567 } as const;
const DAYS_BY_PRODUCT = {
  type: 'object',
  additionalProperties: { type: 'number', nullable: true },
  description:
    'The days of products with a rule of their own (RETENTION_PRODUCTS), by product key; null keeps for ever.',
  example: { a1B2c3D4e5F: 30 },
} as const;

export class PackedMonthSchema {
  @ApiProperty({ type: 'number', example: 43_200_000 })
  readonly readings!: number;

  @ApiProperty(BYTES)
  readonly bytes!: number;

  @ApiProperty({ type: 'number', example: 4.63, description: 'Indexes included.' })
  readonly bytesPerReading!: number;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    example: '2026-11-22T07:35:00.000Z',
    description: 'When all that was there had been packed last; null while that has not happened yet.',
  })
  readonly at!: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'How many of the readings lie in partitions of products with a rule of their own.',
    example: { a1B2c3D4e5F: 120_000 },
  })
  readonly products!: Record<string, number>;
}

@ApiExtraModels(PackedMonthSchema)
export class StoredMonthSchema {
  @ApiProperty({ type: 'string', example: '2026-10', description: 'By UTC; `before-2015` for everything before.' })
  readonly month!: string;

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 1_200,
    description:
      'Rows in the table itself, estimated; null before PostgreSQL looked at it. What came late for a packed month is here.',
  })
  readonly rows!: number | null;

  @ApiProperty({ ...BYTES, description: 'What they take, indexes included.' })
  readonly bytes!: number;

  @ApiProperty({
    nullable: true,
    allOf: [{ $ref: getSchemaPath(PackedMonthSchema) }],
    description: 'What is packed of this month; null for none.',
  })
  readonly packed!: PackedMonthSchema | null;
}

export class StoredTableSchema {
  @ApiProperty({ type: 'string', enum: ['PropertyReading', 'ReadingRollup', 'EventLog'], example: 'PropertyReading' })
  readonly table!: string;

  @ApiProperty({ ...BYTES, description: 'All months together, packed and not, indexes included.' })
  readonly bytes!: number;

  @ApiProperty({
    type: 'string',
    nullable: true,
    example: '2026-01',
    description: 'The oldest month that holds something.',
  })
  readonly oldest!: string | null;

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 365,
    description: 'Days that are kept; null keeps for ever.',
  })
  readonly keepDays!: number | null;

  @ApiProperty(DAYS_BY_PRODUCT)
  readonly products!: Record<string, number | null>;

  @ApiProperty({ type: [StoredMonthSchema], description: 'The months that hold something, newest first.' })
  readonly months!: StoredMonthSchema[];
}

export class StorageSchema {
  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 30,
    description: 'How many days after its end a month of readings is packed; null never packs.',
  })
  readonly packReadingsAfterDays!: number | null;

  @ApiProperty({ type: [StoredTableSchema] })
  readonly tables!: StoredTableSchema[];
}
