import { ApiProperty } from '@nestjs/swagger';

const TIME = { type: 'string', format: 'date-time' } as const;
const NUMBER = { type: 'number', nullable: true, example: 21.5 } as const;
const ANY_VALUE = { description: 'Any JSON value.', example: 21.5 } as const;

export class AggregateList {
  /** Every function is there under its own name when it was asked for; percentiles such as `p95`, too. */
  @ApiProperty({
    type: 'array',
    items: {
      type: 'object',
      required: ['identifier', 'from', 'to'],
      properties: {
        identifier: { type: 'string', example: 'CurrentTemperature' },
        from: {
          ...TIME,
          example: '2026-11-19T16:00:00.000Z',
          description: 'Where the bucket begins, or the question.',
        },
        to: { ...TIME, example: '2026-11-20T16:00:00.000Z', description: 'Where it ends.' },
        count: { type: 'integer', nullable: true, example: 1440 },
        avg: NUMBER,
        min: NUMBER,
        max: NUMBER,
        sum: NUMBER,
        first: ANY_VALUE,
        last: ANY_VALUE,
        delta: NUMBER,
        rate: { ...NUMBER, description: 'A second.' },
        timeWeightedAverage: NUMBER,
        durations: {
          type: 'array',
          nullable: true,
          description: 'How long it had each value, the longest first.',
          items: {
            type: 'object',
            required: ['value', 'seconds'],
            properties: { value: ANY_VALUE, seconds: { type: 'number', example: 3600 } },
          },
        },
      },
      additionalProperties: { type: 'number', nullable: true, description: 'A percentile, for instance `p95`.' },
    },
  })
  readonly items!: unknown[];

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'Null: there is no second page.' })
  readonly next!: string | null;
}
