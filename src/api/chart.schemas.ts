import { ApiProperty } from '@nestjs/swagger';
import { PropertyValueSchema } from './schemas.js';

export class ChartSchema {
  @ApiProperty({ type: 'string', example: 'CurrentTemperature' })
  readonly identifier!: string;

  @ApiProperty({ type: 'integer', example: 43200, description: 'How many readings there are.' })
  readonly readings!: number;

  @ApiProperty({
    type: 'integer',
    example: 0,
    description: 'How many of them are no numbers, where others are: these are not among the points.',
  })
  readonly others!: number;

  @ApiProperty({
    enum: ['numbers', 'changes'],
    description: 'Numbers, thinned out; or, of other values, the readings at which they changed.',
  })
  readonly shows!: string;

  @ApiProperty({ type: [PropertyValueSchema], description: 'In order of time.' })
  readonly points!: PropertyValueSchema[];
}

export class ChartList {
  @ApiProperty({ type: [ChartSchema] })
  readonly items!: ChartSchema[];

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'Null: there is no second page.' })
  readonly next!: string | null;
}
