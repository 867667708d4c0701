import type { DeviceView, OwnerView } from './device-view.js';
import { JsonText } from './json-text.js';
import { instant, type Instant, type Parameters } from './read-columns.js';

/** What is told of a device. */
export interface DeviceFields {
  readonly names: ReadonlySet<DeviceField>;
  /** Of `tags` and `properties`, only these; null: all of them. */
  readonly tags: readonly string[] | null;
  readonly properties: readonly string[] | null;
}

export const DEVICE_FIELDS = [
  'productKey',
  'deviceName',
  'iotId',
  'deviceType',
  'online',
  'since',
  'lastSeen',
  'firstSeen',
  'lifecycle',
  'gateway',
  'tags',
  'properties',
  'owners',
] as const satisfies readonly (keyof DeviceView)[];
export type DeviceField = (typeof DEVICE_FIELDS)[number];

export const ALL_FIELDS: DeviceFields = { names: new Set(DEVICE_FIELDS), tags: null, properties: null };

/** A row of what `deviceColumns` select. */
export type DeviceRow = Readonly<Record<DeviceField, unknown>>;

/** SQL of the columns of a row `d` of "Device" that tell these fields, and of nothing else. */
export function deviceColumns(fields: DeviceFields, parameters: Parameters): string {
  const only = (column: string, names: readonly string[] | null): string =>
    names === null ? '' : ` AND ${column} = ANY(${parameters.add(names, 'text[]')})`;
  const columns: Record<DeviceField, () => string> = {
    productKey: () => 'd."productKey"',
    deviceName: () => 'd."deviceName"',
    iotId: () => 'd."iotId"',
    deviceType: () => 'd."deviceType"',
    online: () => 'd."online"',
    since: () => instant('d."since"'),
    lastSeen: () => instant('d."lastSeen"'),
    firstSeen: () => instant('d."firstSeen"'),
    lifecycle: () => 'd."lifecycle"',
    gateway: () => `d."gatewayProductKey" || ':' || d."gatewayDeviceName"`,
    tags: () => `(SELECT json_object_agg(t."key", t."value" ORDER BY t."key")::text FROM "DeviceTag" t
      WHERE t."deviceId" = d."id"${only('t."key"', fields.tags)})`,
    properties:
      () => `(SELECT json_agg(json_build_array(p."identifier", coalesce(p."number"::text, p."json"::text), ${instant('p."at"')})
        ORDER BY p."identifier")::text
      FROM "DeviceProperty" p
      WHERE p."deviceId" = d."id" AND p."at" IS NOT NULL${only('p."identifier"', fields.properties)})`,
    owners:
      () => `(SELECT json_agg(json_build_object('identityId', b."identityId", 'scopeId', b."scopeId", 'tenantId', b."tenantId",
        'since', ${instant('b."from"')}) ORDER BY b."from", b."identityId", b."scopeId", b."tenantId")::text
      FROM "UserBinding" b WHERE b."deviceId" = d."id" AND b."bound" AND b."owned" AND b."until" IS NULL)`,
  };
  return shown(fields)
    .map((name) => `${columns[name]()} AS "${name}"`)
    .join(', ');
}

/** The device that a row tells of. */
export function deviceOf(row: DeviceRow, fields: DeviceFields): Partial<DeviceView> {
  return Object.fromEntries(shown(fields).map((name) => [name, read(name, row[name])]));
}

/** Of a device that is known as a whole, what is asked for. */
export function projected(view: DeviceView, fields: DeviceFields): Partial<DeviceView> {
  const members = <T>(
    all: Readonly<Record<string, T>>,
    names: readonly string[] | null,
  ): Readonly<Record<string, T>> =>
    names === null ? all : Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  const whole = {
    ...view,
    tags: members(view.tags, fields.tags),
    properties: members(view.properties, fields.properties),
  };
  return Object.fromEntries(shown(fields).map((name) => [name, whole[name]]));
}

function shown({ names }: DeviceFields): readonly DeviceField[] {
  return DEVICE_FIELDS.filter((name) => names.has(name));
}

function read(name: DeviceField, column: unknown): unknown {
  if (name !== 'tags' && name !== 'properties' && name !== 'owners') return column;
  const json = typeof column === 'string' ? column : null;
  if (name === 'tags') return JSON.parse(json ?? '{}') as Record<string, string>;
  if (name === 'owners') return JSON.parse(json ?? '[]') as OwnerView[];
  const properties = JSON.parse(json ?? '[]') as [identifier: string, value: string, at: Instant][];
  return Object.fromEntries(
    properties.map(([identifier, value, at]) => [identifier, { value: new JsonText(value), at }]),
  );
}
