import { ApiProperty } from '@nestjs/swagger';

/** What answers about presence look like, for the OpenAPI description. */

const TIME = { type: 'string', format: 'date-time', example: '2026-11-22T07:35:00.000Z' } as const;
const REASON = {
  type: 'integer',
  nullable: true,
  description: "The platform's offlineReasonCode.",
  example: 427,
} as const;

const next = (description = 'Cursor of the next page, or null.') =>
  ApiProperty({ type: 'string', nullable: true, description, example: null });
const count = (description?: string) => ApiProperty({ type: 'integer', description, example: 42 });
const seconds = (description?: string) => ApiProperty({ type: 'number', description, example: 3600 });
const product = () => ApiProperty({ type: 'string', example: 'a1B2c3D4e5F' });
const name = () => ApiProperty({ type: 'string', example: 'lock-0001' });

export class PresenceIntervalSchema {
  @ApiProperty({
    type: 'boolean',
    nullable: true,
    description: 'Null: nothing is known, before the first status message or after the device was made anew.',
  })
  readonly online!: boolean | null;

  @ApiProperty({ ...TIME, nullable: true, description: 'Null: since ever.' })
  readonly from!: string | null;

  @ApiProperty({ ...TIME, nullable: true, description: 'Null while it lasts.' })
  readonly until!: string | null;

  @ApiProperty({ ...REASON, description: "The platform's offlineReasonCode of the status message that began it." })
  readonly reason!: number | null;
}

export class PresenceIntervalList {
  @ApiProperty({ type: [PresenceIntervalSchema] })
  readonly items!: PresenceIntervalSchema[];

  @next()
  readonly next!: string | null;
}

export class OutageSchema {
  @ApiProperty(TIME)
  readonly from!: string;

  @ApiProperty(TIME)
  readonly until!: string;

  @seconds()
  readonly seconds!: number;

  @ApiProperty(REASON)
  readonly reason!: number | null;
}

export class PresenceSummarySchema {
  @ApiProperty({ ...TIME, description: 'What was summed up: the range that was asked for, up to now.' })
  readonly from!: string;

  @ApiProperty(TIME)
  readonly to!: string;

  @ApiProperty({
    type: 'number',
    nullable: true,
    description: 'onlineSeconds of onlineSeconds + offlineSeconds. Null when nothing is known.',
    example: 99.9312,
  })
  readonly uptimePercent!: number | null;

  @seconds()
  readonly onlineSeconds!: number;

  @seconds()
  readonly offlineSeconds!: number;

  @seconds('In which nothing is known. The three make up the range.')
  readonly unknownSeconds!: number;

  @count('How often it went on- or offline within the range.')
  readonly changes!: number;

  @count('How many times of being offline touch the range.')
  readonly outages!: number;

  @ApiProperty({ type: OutageSchema, nullable: true, description: 'As far as it lies in the range.' })
  readonly longestOutage!: OutageSchema | null;
}

class FleetCountSchema {
  @count()
  readonly online!: number;

  @count()
  readonly offline!: number;

  @count('No status message came, or none since the device was made anew.')
  readonly unknown!: number;
}

export class ProductPresenceSchema extends FleetCountSchema {
  @product()
  readonly productKey!: string;
}

export class FleetPresenceSchema extends FleetCountSchema {
  @ApiProperty({ type: [ProductPresenceSchema] })
  readonly items!: ProductPresenceSchema[];

  @next()
  readonly next!: string | null;
}

export class PresencePointSchema extends FleetCountSchema {
  @ApiProperty({ ...TIME, description: 'Just before this moment.' })
  readonly at!: string;
}

export class PresenceCurve {
  @ApiProperty({ type: [PresencePointSchema] })
  readonly items!: PresencePointSchema[];

  @next('Null: all points are in one answer.')
  readonly next!: string | null;
}

export class FlappingDeviceSchema {
  @product()
  readonly productKey!: string;

  @name()
  readonly deviceName!: string;

  @count('How often it went on- or offline.')
  readonly changes!: number;
}

export class FlappingListSchema {
  @ApiProperty({ type: [FlappingDeviceSchema] })
  readonly items!: FlappingDeviceSchema[];

  @count('No device that is not listed changed more often than this.')
  readonly othersAtMost!: number;

  @next('Null: this is one answer.')
  readonly next!: string | null;
}

export class SilentDeviceSchema {
  @product()
  readonly productKey!: string;

  @name()
  readonly deviceName!: string;

  @ApiProperty({ type: 'boolean', nullable: true, description: 'What the last status message said.' })
  readonly online!: boolean | null;

  @ApiProperty(TIME)
  readonly lastSeen!: string;

  @seconds()
  readonly silentSeconds!: number;

  @seconds('Nine of ten of its last pauses were no longer than this; at least a minute.')
  readonly habitSeconds!: number;

  @ApiProperty({ type: 'number', description: 'silentSeconds of habitSeconds.', example: 12.5 })
  readonly times!: number;
}

export class SilentList {
  @ApiProperty({ type: [SilentDeviceSchema] })
  readonly items!: SilentDeviceSchema[];

  @next()
  readonly next!: string | null;
}
