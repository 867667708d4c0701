import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsOptional, ValidateBy } from 'class-validator';
import { CHANGE_KINDS, type ChangeKind } from '../storage/changed-row.views.js';
import { Flag, Text, Texts, Time } from './parameters.js';

const several = (description: string, example?: string) =>
  ApiPropertyOptional({
    type: 'array',
    items: { type: 'string' },
    description: `${description} Give it several times for several.`,
    ...(example !== undefined && { example: [example] }),
  });

export class StreamQuery {
  @IsOptional()
  @Text(4_000)
  @ApiPropertyOptional({
    example: 'online eq true and state.temperature gt 30',
    description: 'Only changes of devices that this condition means as they are when a change is sent.',
  })
  readonly filter?: string;

  @IsOptional()
  @Transform(({ value }: { value: unknown }) =>
    [value].flat().flatMap((text) => (typeof text === 'string' ? text.split(',') : [text])),
  )
  @ValidateBy({
    name: 'kinds',
    validator: {
      validate: (value: unknown) =>
        Array.isArray(value) && value.every((kind) => CHANGE_KINDS.some((known) => known === kind)),
      defaultMessage: () => `must be some of ${CHANGE_KINDS.join(', ')}, with commas between`,
    },
  })
  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'string', enum: [...CHANGE_KINDS] },
    description: 'Only these kinds of changes. Readings and events when `identifier` is given, else all.',
  })
  readonly kinds?: readonly ChangeKind[];

  @IsOptional()
  @Texts(256, 100)
  @several('Only readings and events of this identifier.')
  readonly identifier?: readonly string[];

  @IsOptional()
  @Texts(256, 100)
  @several('Only what concerns this product.')
  readonly productKey?: readonly string[];

  @IsOptional()
  @Texts(600, 100)
  @several('Only what concerns this device: productKey:deviceName, or an iotId.')
  readonly device?: readonly string[];

  @IsOptional()
  @Text(64)
  @ApiPropertyOptional({
    description:
      'The id of the last event that was dealt with: go on behind it. A header `Last-Event-ID` comes first, as browsers send it when they come back.',
  })
  readonly lastEventId?: string;

  @IsOptional()
  @Time()
  @ApiPropertyOptional({
    type: 'string',
    description:
      'Begin with what was committed at this time, by the clock of the database, instead of now. RFC 3339 or epoch milliseconds. Of no effect together with an id.',
  })
  readonly from?: Date;

  @IsOptional()
  @Flag()
  @ApiPropertyOptional({
    type: 'boolean',
    default: true,
    description: 'False ends the stream once everything that was committed before the request has been sent.',
  })
  readonly follow: boolean = true;
}
