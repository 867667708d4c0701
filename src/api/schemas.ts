import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath, PartialType } from '@nestjs/swagger';
import { REBUILD_CAUSES } from '../domain/ingest-status.js';

/** What answers look like, for the OpenAPI description. The answers themselves are the views of `storage`. */

export const TIME = { type: 'string', format: 'date-time', example: '2026-11-22T07:35:00.000Z' } as const;
const TIME_OR_NULL = { ...TIME, nullable: true } as const;
export const ANY_VALUE = { description: 'Any JSON value; numbers with every digit.', oneOf: anyJson(), example: 21.5 };
export const DEVICE = { type: 'string', example: 'a1B2c3D4e5F:lock-0001' } as const;

function text(example: string, more: { readonly nullable?: boolean; readonly description?: string } = {}) {
  return ApiProperty({ type: 'string', example, ...more });
}

export function anyJson() {
  return [
    { type: 'number' },
    { type: 'string' },
    { type: 'boolean' },
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
  ];
}

export const NEXT = {
  type: 'string',
  nullable: true,
  description: 'Cursor of the next page, or null.',
  example: null,
} as const;

export class PropertyValueSchema {
  @ApiProperty(ANY_VALUE)
  readonly value!: unknown;

  @ApiProperty(TIME)
  readonly at!: string;
}

export class OwnerSchema {
  @text('50ebop9xxxxxxxxxxxxxxxxxxxxxxxxxxxxx7384')
  readonly identityId!: string;

  @text('A11E3B2C')
  readonly scopeId!: string;

  @text('9C5E1F')
  readonly tenantId!: string;

  @ApiProperty(TIME)
  readonly since!: string;
}

@ApiExtraModels(PropertyValueSchema)
export class DeviceSchema {
  @text('a1B2c3D4e5F')
  readonly productKey!: string;

  @text('lock-0001')
  readonly deviceName!: string;

  @text('4z819VQHk6VSLmmBJfrf00107ee200', { nullable: true })
  readonly iotId!: string | null;

  @text('SmartDoor', { nullable: true })
  readonly deviceType!: string | null;

  @ApiProperty({ type: 'boolean', nullable: true, description: 'Null until a status message came.' })
  readonly online!: boolean | null;

  @ApiProperty({ ...TIME_OR_NULL, description: 'When it went on- or offline.' })
  readonly since!: string | null;

  @ApiProperty(TIME_OR_NULL)
  readonly lastSeen!: string | null;

  @ApiProperty(TIME_OR_NULL)
  readonly firstSeen!: string | null;

  @ApiProperty({
    type: 'string',
    nullable: true,
    enum: ['create', 'delete', 'enable', 'disable', null],
    example: 'enable',
  })
  readonly lifecycle!: string | null;

  @ApiProperty({ ...DEVICE, nullable: true, description: 'The gateway that it is attached to.' })
  readonly gateway!: string | null;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { room: 'kitchen' } })
  readonly tags!: Record<string, string>;

  @ApiProperty({
    type: 'object',
    additionalProperties: { $ref: getSchemaPath(PropertyValueSchema) },
    example: { CurrentTemperature: { value: 21.5, at: '2026-11-22T07:35:00.000Z' } },
  })
  readonly properties!: Record<string, PropertyValueSchema>;

  @ApiProperty({ type: [OwnerSchema] })
  readonly owners!: OwnerSchema[];
}

export class DeviceCountSchema {
  @ApiProperty({ type: 'integer', example: 1234 })
  readonly value!: number;

  @ApiProperty({ type: 'boolean', description: 'False: an estimate, from a sample.' })
  readonly exact!: boolean;
}

/** Of a device, what was asked for: everything, unless `fields` says less. */
export class AskedDeviceSchema extends PartialType(DeviceSchema) {}

export class DeviceList {
  @ApiProperty({ type: [AskedDeviceSchema] })
  readonly items!: AskedDeviceSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;

  @ApiPropertyOptional({
    type: DeviceCountSchema,
    description: 'Only with the parameter `count`, on the first page: how many devices there are in all.',
  })
  readonly count?: DeviceCountSchema;
}

export class StatusSchema {
  @ApiProperty({ type: 'boolean', nullable: true, description: 'Null until a status message came.' })
  readonly online!: boolean | null;

  @ApiProperty(TIME_OR_NULL)
  readonly since!: string | null;

  @ApiProperty(TIME_OR_NULL)
  readonly lastSeen!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: "The platform's offlineReasonCode.", example: 427 })
  readonly reason!: number | null;
}

export class PropertySchema extends PropertyValueSchema {
  @text('CurrentTemperature')
  readonly identifier!: string;
}

export class PropertyItems {
  @ApiProperty({ type: [PropertySchema] })
  readonly items!: PropertySchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class ReadingSchema extends PropertySchema {
  @ApiPropertyOptional({
    type: 'array',
    items: { oneOf: anyJson() },
    description: 'Only when several values came for one millisecond: all of them; `value` is the last.',
  })
  readonly values?: unknown[];
}

export class ReadingList {
  @ApiProperty({ type: [ReadingSchema] })
  readonly items!: ReadingSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class EventSchema {
  @text('event-raised')
  readonly kind!: string;

  @ApiProperty({ ...DEVICE, nullable: true, description: 'Null for what concerns a product and no device.' })
  readonly device!: string | null;

  @text('a1B2c3D4e5F')
  readonly productKey!: string;

  @text('DoorOpenNotification', { nullable: true })
  readonly identifier!: string | null;

  @text('Door opened', { nullable: true })
  readonly name!: string | null;

  @text('info', { nullable: true })
  readonly type!: string | null;

  @text('1678239049931', { nullable: true })
  readonly requestId!: string | null;

  @ApiProperty(TIME)
  readonly at!: string;

  @ApiProperty(TIME)
  readonly receivedAt!: string;

  @ApiProperty(ANY_VALUE)
  readonly value!: unknown;
}

export class EventList {
  @ApiProperty({ type: [EventSchema] })
  readonly items!: EventSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class BindingSchema {
  @text('50ebop9xxxxxxxxxxxxxxxxxxxxxxxxxxxxx7384')
  readonly identityId!: string;

  @text('A11E3B2C')
  readonly scopeId!: string;

  @text('9C5E1F')
  readonly tenantId!: string;

  @ApiProperty({ type: 'boolean', description: 'True for the owner, false for somebody the device is shared with.' })
  readonly owned!: boolean;

  @ApiProperty({ ...TIME_OR_NULL, description: 'Null when only the end is known.' })
  readonly from!: string | null;

  @ApiProperty({ ...TIME_OR_NULL, description: 'Null while it lasts.' })
  readonly until!: string | null;
}

export class BindingList {
  @ApiProperty({ type: [BindingSchema] })
  readonly items!: BindingSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class UserDeviceSchema extends BindingSchema {
  @text('a1B2c3D4e5F')
  readonly productKey!: string;

  @text('lock-0001')
  readonly deviceName!: string;

  @text('4z819VQHk6VSLmmBJfrf00107ee200', { nullable: true })
  readonly iotId!: string | null;
}

export class UserDeviceList {
  @ApiProperty({ type: [UserDeviceSchema] })
  readonly items!: UserDeviceSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class TransportSchema {
  @text('amqp')
  readonly transport!: string;

  @ApiProperty({ type: 'integer' })
  readonly connections!: number;

  @ApiProperty({ type: 'integer' })
  readonly connected!: number;
}

export class RebuildSchema {
  @ApiProperty(TIME)
  readonly at!: string;

  @ApiProperty({ enum: REBUILD_CAUSES })
  readonly cause!: string;
}

export class ConnectionSchema {
  @text('amqp')
  readonly transport!: string;

  @ApiProperty({ type: 'integer', example: 1 })
  readonly connection!: number;

  @ApiProperty({ enum: ['connecting', 'connected', 'waiting', 'stopped'] })
  readonly state!: string;

  @text('127.0.0.1:5671')
  readonly peer!: string;

  @ApiProperty(TIME)
  readonly since!: string;

  @ApiProperty({ type: 'string', nullable: true, example: null, description: 'What ended the connection before.' })
  readonly lastError!: string | null;

  @ApiProperty({ type: 'integer' })
  readonly attempts!: number;

  @ApiProperty({ type: 'integer' })
  readonly credit!: number;

  @ApiProperty({ type: 'integer', description: 'How often a link was given up that seemed open.' })
  readonly rebuilds!: number;

  @ApiProperty({ type: RebuildSchema, nullable: true, description: 'The last of these.' })
  readonly lastRebuild!: RebuildSchema | null;
}

const COUNT = { type: 'integer' } as const;
const share = (description: string) => ApiProperty({ type: 'integer', description });

export class LedgerCountsSchema {
  @ApiProperty(COUNT)
  readonly received!: number;

  @ApiProperty(COUNT)
  readonly stored!: number;

  @ApiProperty(COUNT)
  readonly duplicate!: number;

  @ApiProperty(COUNT)
  readonly setAside!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: COUNT,
    example: { 'not-json': 3 },
    description: 'By the reason.',
  })
  readonly setAsideReasons!: Record<string, number>;

  @share('Stored as history only: what the mirror showed was newer in all of it.')
  readonly late!: number;

  @share('Stored, but something in it was older than retention keeps it.')
  readonly expired!: number;

  @share('Delivered before: duplicates, and what the transport says so of.')
  readonly redelivered!: number;

  @share('With the id of another message of the same day.')
  readonly idReused!: number;

  @share('Went through the spool of a replica.')
  readonly spooled!: number;
}

export class LedgerPartSchema extends LedgerCountsSchema {
  @text('amqp')
  readonly transport!: string;

  @text('worker-a')
  readonly replica!: string;
}

export class LedgerPeriodSchema extends LedgerCountsSchema {
  @ApiProperty(TIME)
  readonly from!: string;

  @ApiProperty({ type: [LedgerPartSchema] })
  readonly parts!: LedgerPartSchema[];
}

export class LedgerList {
  @ApiProperty({ type: [LedgerPeriodSchema] })
  readonly items!: LedgerPeriodSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class SpoolSchema {
  @ApiProperty({ type: 'integer', description: 'Accepted, on the disk of this replica, and not in the database yet.' })
  readonly messages!: number;

  @ApiProperty(COUNT)
  readonly bytes!: number;

  @ApiProperty({ type: 'integer', description: 'SPOOL_MAX_BYTES' })
  readonly maxBytes!: number;

  @ApiProperty({ enum: ['empty', 'filling', 'draining', 'full'] })
  readonly state!: string;

  @ApiProperty({ type: 'number', nullable: true, description: 'How many go into the database a second, lately.' })
  readonly drainPerSecond!: number | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'Until it is empty, in milliseconds, at that pace.' })
  readonly drainMs!: number | null;

  @ApiProperty({ ...TIME_OR_NULL, description: 'When it will be full, at the pace at which it fills.' })
  readonly fullAt!: string | null;

  @ApiProperty({ type: 'integer', description: 'Bytes that could not be read; SPOOL_DIR/damaged has copies.' })
  readonly damagedBytes!: number;

  @ApiProperty({ type: 'string', nullable: true, description: 'Why nothing could be written the last time.' })
  readonly lastError!: string | null;
}

export class ReplicaSchema {
  @text('worker-a')
  readonly replica!: string;

  @text('0.1.0-3f9a1c2b')
  readonly version!: string;

  @ApiProperty(TIME)
  readonly startedAt!: string;

  @ApiProperty(TIME)
  readonly heartbeatAt!: string;

  @ApiProperty({ enum: ['running', 'stopped', 'gone'], description: '`gone`: silent without having said goodbye.' })
  readonly state!: string;

  @ApiProperty(COUNT)
  readonly inHand!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'In its spool: keep its disk, and start it again. Null when it is gone without having told.',
  })
  readonly spooled!: number | null;

  @ApiProperty(COUNT)
  readonly spoolBytes!: number;
}

export class IngestSchema {
  @ApiProperty(COUNT)
  readonly received!: number;

  @ApiProperty(COUNT)
  readonly stored!: number;

  @ApiProperty(COUNT)
  readonly duplicate!: number;

  @ApiProperty(COUNT)
  readonly setAside!: number;

  @ApiProperty({ type: 'integer', description: 'Accepted and in the spool of this process.' })
  readonly spooled!: number;

  @ApiProperty({ type: 'integer', description: 'received = stored + duplicate + setAside + spooled + inHand' })
  readonly inHand!: number;

  @ApiProperty({ description: 'False when it does not, here or over all replicas: a fault of the service.' })
  readonly addsUp!: boolean;

  @ApiProperty({
    type: 'number',
    nullable: true,
    description: 'How long the oldest message in hand has waited.',
    example: null,
  })
  readonly lagMs!: number | null;

  @ApiProperty(COUNT)
  readonly bytesInHand!: number;

  @ApiProperty({ ...TIME_OR_NULL, description: 'When the platform begins to drop messages if nothing changes.' })
  readonly platformDropsAt!: string | null;

  @ApiProperty({ type: SpoolSchema, nullable: true, description: 'Null without SPOOL_DIR.' })
  readonly spool!: SpoolSchema | null;

  @ApiProperty({ type: [TransportSchema] })
  readonly transports!: TransportSchema[];

  @ApiProperty({ type: [ConnectionSchema] })
  readonly connections!: ConnectionSchema[];

  @ApiProperty({
    type: [ReplicaSchema],
    nullable: true,
    description:
      'All processes heard of within the hour, or with messages in their spool; null while the database is away.',
  })
  readonly replicas!: ReplicaSchema[] | null;

  @ApiProperty({
    type: LedgerCountsSchema,
    nullable: true,
    description: 'Over all replicas, since ever or from `from` to `to`; null while the database is away.',
  })
  readonly totals!: LedgerCountsSchema | null;
}

export class SetAsideSchema {
  @text('0123456789abcdef0123456789abcdef')
  readonly id!: string;

  @text('not-json')
  readonly reason!: string;

  @text('the body is not JSON')
  readonly detail!: string;

  @text('amqp')
  readonly transport!: string;

  @text('1460129463911234567', { nullable: true })
  readonly messageId!: string | null;

  @text('/a1B2c3D4e5F/lock-0001/thing/event/property/post', { nullable: true })
  readonly topic!: string | null;

  @text('1678433529695', { nullable: true })
  readonly generateTime!: string | null;

  @ApiProperty(TIME)
  readonly receivedAt!: string;

  @ApiProperty({ type: 'integer', description: 'Replays tried so far.' })
  readonly attempts!: number;

  @ApiProperty(TIME_OR_NULL)
  readonly replayedAt!: string | null;

  @ApiProperty({ type: 'integer', description: 'Size of the body.' })
  readonly bytes!: number;

  @text('property-post', { nullable: true, description: 'The kind that it seems to be of, where that can be told.' })
  readonly kind!: string | null;

  @text('a1B2c3D4e5F', { nullable: true, description: 'The product that it names.' })
  readonly productKey!: string | null;

  @text('lock-0001', { nullable: true, description: 'The device that it names.' })
  readonly deviceName!: string | null;

  @text('0.1.0-3f9a1c2b', { nullable: true, description: 'The version of the service that refused it last.' })
  readonly refusedBy!: string | null;
}

export class ReasonCountSchema {
  @text('not-json')
  readonly reason!: string;

  @ApiProperty({ type: 'integer', example: 12 })
  readonly count!: number;
}

export class SetAsideCountsSchema {
  @ApiProperty({ type: 'integer', example: 12 })
  readonly total!: number;

  @text('0.1.0-3f9a1c2b', { description: 'The version of the service that answers; see `refusedBy`.' })
  readonly version!: string;

  @ApiProperty({ type: [ReasonCountSchema], description: 'The most frequent first.' })
  readonly reasons!: ReasonCountSchema[];
}

export class RemovedSchema {
  @ApiProperty({ type: 'integer', example: 12, description: 'How many messages are gone for good.' })
  readonly removed!: number;
}

export class SetAsideList {
  @ApiProperty({ type: [SetAsideSchema] })
  readonly items!: SetAsideSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class SetAsideMessageSchema extends SetAsideSchema {
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  readonly properties!: Record<string, string>;

  @ApiProperty({ enum: ['text', 'hex'], description: 'How `body` shows the bytes: UTF-8, or hexadecimal digits.' })
  readonly encoding!: string;

  @text('{"items":')
  readonly body!: string;
}

export class RefusalSchema {
  @text('not-json')
  readonly reason!: string;

  @text('the body is not JSON')
  readonly detail!: string;
}

export class RowChangeSchema {
  @text('PropertyReading')
  readonly table!: string;

  @ApiProperty({ enum: ['insert', 'update', 'delete'] })
  readonly change!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'What identifies the row, without surrogate keys.',
    example: {
      productKey: 'a1B2c3D4e5F',
      deviceName: 'lock-0001',
      identifier: 'CurrentTemperature',
      at: '2026-11-22T07:35:00.000Z',
    },
  })
  readonly key!: Record<string, unknown>;
}

export class ReplaySchema {
  @text('0123456789abcdef0123456789abcdef')
  readonly id!: string;

  @ApiProperty({ type: 'boolean' })
  readonly dryRun!: boolean;

  @ApiProperty({ enum: ['replayed', 'refused'] })
  readonly result!: string;

  @ApiProperty({ type: RefusalSchema, nullable: true })
  readonly refusal!: RefusalSchema | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    description: "Rows inserted, changed or removed, by table, beside the message's own.",
    example: { Device: 1, PropertyReading: 3 },
  })
  readonly changes!: Record<string, number>;

  @ApiProperty({ type: [RowChangeSchema], description: 'The first 100 of these rows.' })
  readonly rows!: RowChangeSchema[];

  @ApiProperty({ type: 'integer', description: 'How many more there are than `rows` names.', example: 0 })
  readonly rowsLeftOut!: number;
}

export class ReplayJobSchema {
  @text('4d8a3f0e-6f0b-4c6e-9a51-0d6c2f1b7e90')
  readonly id!: string;

  @ApiProperty({ enum: ['waiting', 'running', 'done', 'cancelled'] })
  readonly state!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'What was asked for. `notRefusedBy` stands for `outdated`.',
    example: { reason: 'not-json', replayed: false },
  })
  readonly filter!: Record<string, unknown>;

  @ApiProperty(TIME)
  readonly requestedAt!: string;

  @ApiProperty(TIME_OR_NULL)
  readonly startedAt!: string | null;

  @ApiProperty({ ...TIME_OR_NULL, description: 'Null while it waits or runs.' })
  readonly finishedAt!: string | null;

  @ApiProperty({ type: 'integer', description: 'How many messages there were when it was asked for.', example: 12 })
  readonly total!: number;

  @ApiProperty({
    type: 'integer',
    description: 'The sum of the next four. Stays below `total` where messages were removed or changed meanwhile.',
    example: 12,
  })
  readonly done!: number;

  @ApiProperty({ type: 'integer', description: 'Events now.', example: 10 })
  readonly stored!: number;

  @ApiProperty({ type: 'integer', description: 'Events already, by another replay meanwhile.', example: 0 })
  readonly duplicate!: number;

  @ApiProperty({ type: 'integer', description: 'Still not understood.', example: 2 })
  readonly stillRefused!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Left as they were by a fault of the service; see its log.',
    example: 0,
  })
  readonly failed!: number;
}

export class ReplayJobList {
  @ApiProperty({ type: [ReplayJobSchema] })
  readonly items!: ReplayJobSchema[];

  @ApiProperty(NEXT)
  readonly next!: string | null;
}

export class ParameterProblemSchema {
  @text('limit')
  readonly parameter!: string;

  @ApiPropertyOptional({ type: 'string', example: '0', description: 'As it was given, shortened.' })
  readonly value?: string;

  @text('must be a whole number from 1 to 1000')
  readonly detail!: string;

  @ApiPropertyOptional({ type: 'integer', description: 'Where in a filter, from 1.', example: 12 })
  readonly column?: number;
}

export class ProblemSchema {
  @text('about:blank')
  readonly type!: string;

  @text('Not Found')
  readonly title!: string;

  @ApiProperty({ type: 'integer', example: 404 })
  readonly status!: number;

  @text('No device a1B2c3D4e5F:lock-0001 (productKey:deviceName)')
  readonly detail!: string;

  @ApiPropertyOptional({ type: [ParameterProblemSchema] })
  readonly errors?: ParameterProblemSchema[];

  @ApiPropertyOptional({ type: [String], description: 'Of an ambiguous device.' })
  readonly candidates?: string[];

  @ApiPropertyOptional({ type: [String], description: 'Of a list: the media types that it comes as.' })
  readonly available?: string[];
}
