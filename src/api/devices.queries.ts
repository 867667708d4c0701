import { ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import type { FilterExpression } from '../domain/filter-expression.js';
import { DEVICE_FIELDS } from '../storage/device-fields.js';
import { type DeviceSort, SORT_FIELDS, type SortField } from '../storage/device-order.js';
import type { DeviceQuestion } from '../storage/device-list.reader.js';
import { AsOfQuery } from './as-of.queries.js';
import { parseFilter } from './filter/parse-filter.js';
import { Flag, Text } from './parameters.js';
import { PageQuery } from './queries.js';

const SORTS = SORT_FIELDS.flatMap((field) => [field, `-${field}`]);

/** Which devices are meant. */
export class DeviceFilterQuery {
  @IsOptional()
  @Text(4000)
  @ApiPropertyOptional({
    example: 'online eq true and state.CurrentTemperature gt 20 and not (tags.room eq "cellar")',
    description:
      'A condition on devices (docs/filters.md): `and`, `or`, `not`, parentheses; `eq`, `ne`, `gt`, `ge`, `lt`, `le`, `in (…)`, ' +
      '`contains`, `startsWith`, `endsWith`, `exists`; fields `productKey`, `deviceName`, `iotId`, `deviceType`, `online`, `since`, ' +
      '`firstSeen`, `lastSeen`, `lifecycle`, `gateway`, `owner`, `tags.<key>`, `state.<identifier>` (a current value; ' +
      '`state.<identifier>.<member>` inside of a struct). Values are those of JSON: `"text"`, `5`, `true`, `null`.',
  })
  readonly filter?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ example: 'a1B2c3D4e5F' })
  readonly productKey?: string;

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional()
  readonly deviceType?: string;

  @IsOptional()
  @IsIn(['true', 'false', 'unknown'], { message: 'must be true, false or unknown' })
  @ApiPropertyOptional({ enum: ['true', 'false', 'unknown'], description: '`unknown`: no status message came yet.' })
  readonly online?: 'true' | 'false' | 'unknown';

  @IsOptional()
  @Text(256)
  @ApiPropertyOptional({ description: "Part of the device's name or of its iotId, whatever the case." })
  readonly q?: string;

  @IsOptional()
  @Flag()
  @ApiPropertyOptional({
    type: 'boolean',
    default: false,
    description: 'Show deleted devices, too; a filter that names `lifecycle` does so anyway.',
  })
  readonly deleted: boolean = false;
}

/** What is told of devices. */
export class FieldsQuery {
  @IsOptional()
  @Text(4000)
  @ApiPropertyOptional({
    example: 'productKey,deviceName,online,properties.CurrentTemperature,tags.room',
    description:
      `Only these fields, separated by commas: ${DEVICE_FIELDS.join(', ')}; of tags and properties also single ones, such as ` +
      '`tags.room` or `properties["any:identifier"]`. What is not asked for is not read, either.',
  })
  readonly fields?: string;
}

/** One device. */
export class DeviceQuery extends IntersectionType(AsOfQuery, FieldsQuery) {}

export class DevicesQuery extends IntersectionType(PageQuery, DeviceFilterQuery, FieldsQuery, AsOfQuery) {
  @IsOptional()
  @IsIn(SORTS, { message: `must be one of ${SORT_FIELDS.join(', ')}, or one of them behind a minus` })
  @ApiPropertyOptional({
    enum: SORTS,
    default: 'productKey',
    description:
      'The order: upwards, or downwards with a minus; devices without a value come last in both. Text goes by code point; ' +
      '`productKey` is productKey and deviceName.',
  })
  readonly sort: string = 'productKey';

  @IsOptional()
  @IsIn(['exact', 'estimated'], { message: 'must be exact or estimated' })
  @ApiPropertyOptional({
    enum: ['exact', 'estimated'],
    description:
      'Tells on the first page how many devices there are in all, as `count`. An exact count of many devices looks at all of ' +
      'them, as long as QUERY_TIMEOUT_MS allows; an estimate looks at a sample unless an index tells the exact number.',
  })
  readonly count?: 'exact' | 'estimated';
}

/** @throws BadParameters naming `filter` */
export function deviceQuestion({
  filter,
  productKey,
  deviceType,
  online,
  q,
  deleted,
}: DeviceFilterQuery): DeviceQuestion {
  const asked = filter === undefined ? null : parseFilter(filter);
  const filters: FilterExpression[] = [];
  if (productKey !== undefined) filters.push(equal('productKey', { type: 'text', text: productKey }));
  if (deviceType !== undefined) filters.push(equal('deviceType', { type: 'text', text: deviceType }));
  if (online === 'unknown') filters.push(equal('online', { type: 'null' }));
  else if (online !== undefined) filters.push(equal('online', { type: 'boolean', value: online === 'true' }));
  if (asked) filters.push(asked);
  if (!deleted && !(asked && namesLifecycle(asked))) {
    filters.push({ kind: 'not', part: equal('lifecycle', { type: 'text', text: 'delete' }) });
  }
  return { filters, ...(q !== undefined && { q }) };
}

export function deviceSort(sort: string): DeviceSort {
  const descending = sort.startsWith('-');
  return { field: (descending ? sort.slice(1) : sort) as SortField, descending };
}

type Equal = Extract<FilterExpression, { kind: 'compare' }>;
type AttributeName = Extract<Equal['field'], { kind: 'attribute' }>['name'];

function equal(name: AttributeName, value: Equal['value']): FilterExpression {
  return { kind: 'compare', field: { kind: 'attribute', name }, operator: 'eq', value };
}

/** Whether a filter cares for deleted devices itself. */
export function namesLifecycle(filter: FilterExpression): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.parts.some(namesLifecycle);
    case 'not':
      return namesLifecycle(filter.part);
    case 'compare':
    case 'in':
    case 'text':
    case 'exists':
      return filter.field.kind === 'attribute' && filter.field.name === 'lifecycle';
    default:
      return filter satisfies never;
  }
}
