import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

const TIME = { type: 'string', format: 'date-time', example: '2026-11-22T07:00:00.000Z' } as const;
const NO_NEXT = {
  type: 'string',
  nullable: true,
  description: 'Always null: there is no second page.',
  example: null,
} as const;

class EventGroupSchema {
  @ApiProperty({ type: 'string', nullable: true, example: 'event-raised' })
  readonly key!: string | null;

  @ApiProperty({ type: 'integer', example: 3 })
  readonly count!: number;
}

class EventCountSchema {
  @ApiProperty(TIME)
  readonly from!: string;

  @ApiProperty(TIME)
  readonly to!: string;

  @ApiProperty({ type: 'integer', example: 3 })
  readonly count!: number;

  @ApiPropertyOptional({
    type: [EventGroupSchema],
    description: 'With `by`: the same told apart, the most frequent first.',
  })
  readonly groups?: EventGroupSchema[];
}

export class EventCountList {
  @ApiProperty({ type: [EventCountSchema], description: 'Every bucket of the range, the oldest first.' })
  readonly items!: EventCountSchema[];

  @ApiProperty(NO_NEXT)
  readonly next!: string | null;
}
