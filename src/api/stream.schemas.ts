import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiOperation, ApiProperty, ApiResponse, getSchemaPath, OmitType } from '@nestjs/swagger';
import type { ChangeKind } from '../storage/changed-row.views.js';
import { BindingSchema, DeviceSchema, EventSchema, ProblemSchema, ReadingSchema, StatusSchema } from './schemas.js';

const DEVICE = { type: 'string', example: 'a1B2c3D4e5F:lock-0001' } as const;

export class DeviceChange extends OmitType(DeviceSchema, ['properties', 'owners']) {}

export class PresenceChange extends StatusSchema {
  @ApiProperty(DEVICE)
  readonly device!: string;
}

export class BindingChange extends BindingSchema {
  @ApiProperty(DEVICE)
  readonly device!: string;
}

export class EventChange extends EventSchema {}

export class ReadingChange extends ReadingSchema {
  @ApiProperty(DEVICE)
  readonly device!: string;

  @ApiProperty({ type: 'boolean', description: 'Whether it is the current value. A late reading is not.' })
  readonly current!: boolean;
}

/** What the data of each kind of event looks like. */
const SCHEMAS: Record<ChangeKind, new () => object> = {
  device: DeviceChange,
  presence: PresenceChange,
  binding: BindingChange,
  event: EventChange,
  reading: ReadingChange,
};

const DESCRIPTION = `
Server-sent events. The kind of a change is its \`event:\`, and \`data:\` is JSON: ${Object.entries(SCHEMAS)
  .map(([kind, { name }]) => `\`${kind}\` (${name})`)
  .join(', ')}.
Changes come in the order of their commit; those of one device never out of order. Every change that is committed comes at least once,
and none is left out in silence: go on behind any \`id:\` with \`Last-Event-ID\` at any replica, also after restarts. Comments come
every 15 seconds while there is nothing to tell.
A reader that is overtaken by what is dropped gets a last event \`gap\` (a problem), and the stream ends.`;

const PROBLEMS = {
  400: 'A parameter is wrong; each wrong one is named.',
  401: 'The token is missing or wrong.',
  404: 'There are no streams: STREAM_KEEP_HOURS is 0.',
  406: 'The request does not accept text/event-stream.',
  410: 'What follows the id is not kept any more, or the id is of another log: read the state anew.',
  503: 'The database is away, or there are as many streams as STREAM_LIMIT allows; `Retry-After` says when to ask again.',
} as const;

/** Says what the stream answers, for the OpenAPI description. */
export function AnswersWithStream(): MethodDecorator {
  const refs = Object.values(SCHEMAS).map((schema) => ({ $ref: getSchemaPath(schema) }));
  return applyDecorators(
    ApiOperation({ summary: 'What changes, as it is committed', description: DESCRIPTION }),
    ApiExtraModels(ProblemSchema, ...Object.values(SCHEMAS)),
    ApiResponse({
      status: 200,
      description: 'Changes, one after the other',
      content: { 'text/event-stream': { schema: { oneOf: refs } } },
    }),
    ...Object.entries(PROBLEMS).map(([status, description]) =>
      ApiResponse({
        status: Number(status),
        description,
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemSchema) } } },
      }),
    ),
  );
}
