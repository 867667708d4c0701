import type { DecodedMessage, MessageKey } from '../domain/decoded-message.js';
import { deviceKeyText, type DeviceKey } from '../domain/device-key.js';
import { jsonOf, type Value } from '../domain/value.js';
import { column } from './columns.js';
import type { CountRow } from './outcome-tally.js';
import type { Transaction } from './prisma.service.js';
import { setAsideRow } from './set-aside-row.js';
import type { DevicePlan, SeriesPlan, WritePlan } from './write-plan.js';
import * as sql from './write-statements.js';

/** Rows inserted or changed, by table. */
export type Changes = Record<string, number>;

/** Which of these messages were seen on any day. */
export async function findSeen(tx: Transaction, messages: readonly DecodedMessage[]): Promise<Set<MessageKey>> {
  if (messages.length === 0) return new Set();
  const rows = await tx.$queryRawUnsafe<{ key: string }[]>(
    sql.FIND_SEEN,
    column(messages, ({ key }) => key),
  );
  return new Set(rows.map(({ key }) => withoutDashes(key)));
}

/** Notes the keys as seen, each with its day; answers those that were new. */
export async function insertSeen(tx: Transaction, dayByKey: ReadonlyMap<MessageKey, string>): Promise<Set<MessageKey>> {
  if (dayByKey.size === 0) return new Set();
  const entries = [...dayByKey];
  const days = column(entries, ([, day]) => day);
  const keys = column(entries, ([key]) => key);
  const rows = await tx.$queryRawUnsafe<{ key: string }[]>(sql.INSERT_SEEN, days, keys);
  return new Set(rows.map(({ key }) => withoutDashes(key)));
}

/** Adds to the counts. Last of all, so that their rows are locked as shortly as can be. */
export async function addCounts(tx: Transaction, rows: readonly CountRow[]): Promise<void> {
  await tx.$executeRawUnsafe(
    sql.ADD_COUNTS,
    column(rows, ({ minute }) => minute),
    column(rows, ({ transport }) => transport),
    column(rows, ({ replica }) => replica),
    column(rows, ({ outcome }) => outcome),
    column(rows, ({ count }) => count),
  );
}

/** Writes everything a plan holds. */
export async function writePlan(tx: Transaction, plan: WritePlan): Promise<Changes> {
  const changes: Changes = {};
  const changed = (table: string, count: number): void => {
    if (count > 0) changes[table] = (changes[table] ?? 0) + count;
  };
  const ids = await writeDevices(tx, plan.devices, changed);
  await forgetOldState(tx, plan.devices, ids, changed);
  const seriesIds = await writeSeries(tx, plan.series, ids, changed);
  await writeReadings(tx, plan.series, seriesIds, changed);
  await writeEvents(tx, plan, ids, changed);
  await writeBindings(tx, plan, ids, changed);
  await writeTags(tx, plan, ids, changed);
  await writeRefused(tx, plan.refused, changed);
  return changes;
}

type Changed = (table: string, count: number) => void;
type DeviceIds = (device: DeviceKey) => number;

async function writeDevices(tx: Transaction, devices: readonly DevicePlan[], changed: Changed): Promise<DeviceIds> {
  const ids = new Map<string, number>();
  let missing = devices;
  while (missing.length > 0) {
    const productKeys = column(missing, ({ device }) => device.productKey);
    const deviceNames = column(missing, ({ device }) => device.deviceName);
    const known = await tx.$queryRawUnsafe<{ id: number; place: number }[]>(sql.LOCK_DEVICES, productKeys, deviceNames);
    for (const { id, place } of known) ids.set(keyAt(missing, place), id);
    missing = missing.filter(({ device }) => !ids.has(deviceKeyText(device)));
    if (missing.length === 0) break;
    const made = await tx.$queryRawUnsafe<({ id: number } & DeviceKey)[]>(
      sql.INSERT_DEVICES,
      column(missing, ({ device }) => device.productKey),
      column(missing, ({ device }) => device.deviceName),
    );
    for (const device of made) ids.set(deviceKeyText(device), device.id);
    // the update below counts those of which it has something to say
    const bare = new Set(missing.filter(isBare).map(({ device }) => deviceKeyText(device)));
    changed('Device', made.filter((device) => bare.has(deviceKeyText(device))).length);
    missing = missing.filter(({ device }) => !ids.has(deviceKeyText(device))); // made by another writer meanwhile
  }
  const idOf: DeviceIds = (device) => found(ids.get(deviceKeyText(device)));
  if (devices.length > 0) changed('Device', await updateDevices(tx, devices, idOf));
  return idOf;
}

async function updateDevices(tx: Transaction, devices: readonly DevicePlan[], idOf: DeviceIds): Promise<number> {
  return tx.$executeRawUnsafe(
    sql.UPDATE_DEVICES,
    column(devices, ({ device }) => idOf(device)),
    column(devices, ({ iotId }) => iotId?.value ?? null),
    column(devices, ({ iotId }) => iotId?.at ?? null),
    column(devices, ({ deviceType }) => deviceType?.value ?? null),
    column(devices, ({ deviceType }) => deviceType?.at ?? null),
    column(devices, ({ presence }) => presence?.online ?? null),
    column(devices, ({ presence }) => presence?.since ?? null),
    column(devices, ({ presence }) => presence?.order ?? null),
    column(devices, ({ presence }) => presence?.reason ?? null),
    column(devices, ({ lifecycle }) => lifecycle?.value ?? null),
    column(devices, ({ lifecycle }) => lifecycle?.at ?? null),
    column(devices, ({ createdAt }) => createdAt),
    column(devices, ({ gateway }) => gateway?.value?.productKey ?? null),
    column(devices, ({ gateway }) => gateway?.value?.deviceName ?? null),
    column(devices, ({ gateway }) => gateway?.at ?? null),
    column(devices, ({ firstSeen }) => firstSeen),
    column(devices, ({ lastSeen }) => lastSeen),
  );
}

/** Whether a batch says nothing of a device but that it exists. */
function isBare({ device: _, ...attributes }: DevicePlan): boolean {
  return Object.values(attributes).every((attribute) => attribute === null);
}

/** A device made anew starts without the state of the one before it. */
async function forgetOldState(
  tx: Transaction,
  devices: readonly DevicePlan[],
  idOf: DeviceIds,
  changed: Changed,
): Promise<void> {
  const created = devices.filter(({ createdAt }) => createdAt);
  if (created.length === 0) return;
  const ids = column(created, ({ device }) => idOf(device));
  const times = column(created, ({ createdAt }) => createdAt);
  changed('DeviceProperty', await tx.$executeRawUnsafe(sql.FORGET_OLD_PROPERTIES, ids, times));
  changed('DeviceTag', await tx.$executeRawUnsafe(sql.FORGET_OLD_TAGS, ids, times));
}

type SeriesIds = (series: SeriesPlan) => number;

async function writeSeries(
  tx: Transaction,
  series: readonly SeriesPlan[],
  idOf: DeviceIds,
  changed: Changed,
): Promise<SeriesIds> {
  const ids = new Map<string, number>();
  const keyOf = (deviceId: number, identifier: string): string => `${deviceId} ${identifier}`;
  if (series.length > 0) {
    const known = await tx.$queryRawUnsafe<{ id: number; place: number; taken: boolean }[]>(
      sql.UPDATE_SERIES,
      ...seriesColumns(series, idOf),
    );
    for (const { id, place } of known) {
      const { device, identifier } = found(series[place - 1]);
      ids.set(keyOf(idOf(device), identifier), id);
    }
    changed('DeviceProperty', known.filter(({ taken }) => taken).length);
    const missing = series.filter(({ device, identifier }) => !ids.has(keyOf(idOf(device), identifier)));
    if (missing.length > 0) {
      const made = await tx.$queryRawUnsafe<{ id: number; deviceId: number; identifier: string }[]>(
        sql.INSERT_SERIES,
        ...seriesColumns(missing, idOf),
      );
      for (const { id, deviceId, identifier } of made) ids.set(keyOf(deviceId, identifier), id);
      changed('DeviceProperty', made.length);
    }
  }
  return ({ device, identifier }) => found(ids.get(keyOf(idOf(device), identifier)));
}

function seriesColumns(series: readonly SeriesPlan[], idOf: DeviceIds): string[] {
  return [
    column(series, ({ device }) => idOf(device)),
    column(series, ({ identifier }) => identifier),
    column(series, ({ newest }) => newest.at),
    column(series, ({ newest }) => numberOf(newest.value)),
    column(series, ({ newest }) => otherOf(newest.value)),
  ];
}

async function writeReadings(
  tx: Transaction,
  series: readonly SeriesPlan[],
  idOf: SeriesIds,
  changed: Changed,
): Promise<void> {
  const rows = series.flatMap((one) => {
    const id = idOf(one);
    return [...one.readings].map(([at, values]) => ({
      id,
      at: new Date(at),
      only: values.length === 1 ? values[0] : null,
      values,
    }));
  });
  if (rows.length === 0) return;
  const count = await tx.$executeRawUnsafe(
    sql.INSERT_READINGS,
    column(rows, ({ id }) => id),
    column(rows, ({ at }) => at),
    column(rows, ({ only }) => (only ? numberOf(only) : null)),
    column(rows, ({ only }) => (only ? otherOf(only) : null)),
    column(rows, ({ only, values }) => (only ? null : `[${values.map(jsonOf).join(', ')}]`)),
  );
  changed('PropertyReading', count);
}

async function writeEvents(tx: Transaction, { events }: WritePlan, idOf: DeviceIds, changed: Changed): Promise<void> {
  if (events.length === 0) return;
  const count = await tx.$executeRawUnsafe(
    sql.INSERT_EVENTS,
    column(events, ({ at }) => at),
    column(events, ({ hash }) => hash),
    column(events, ({ device }) => (device ? idOf(device) : null)),
    column(events, ({ productKey }) => productKey),
    column(events, ({ kind }) => kind),
    column(events, ({ identifier }) => identifier),
    column(events, ({ name }) => name),
    column(events, ({ type }) => type),
    column(events, ({ requestId }) => requestId),
    column(events, ({ value }) => value),
    column(events, ({ receivedAt }) => receivedAt),
  );
  changed('EventLog', count);
}

async function writeBindings(
  tx: Transaction,
  { bindings }: WritePlan,
  idOf: DeviceIds,
  changed: Changed,
): Promise<void> {
  if (bindings.length === 0) return;
  const users = (rows: WritePlan['bindings']): string[] => [
    column(rows, ({ device }) => idOf(device)),
    column(rows, ({ user }) => user.identityId),
    column(rows, ({ user }) => user.scopeId),
    column(rows, ({ user }) => user.tenantId),
  ];
  const inserted = await tx.$executeRawUnsafe(
    sql.INSERT_BINDINGS,
    ...users(bindings),
    column(bindings, ({ at }) => at),
    column(bindings, ({ bound }) => bound),
    column(bindings, ({ owned }) => owned),
  );
  changed('UserBinding', inserted);
  const touched = new Map(
    bindings.map((fact) => [
      JSON.stringify([deviceKeyText(fact.device), fact.user.identityId, fact.user.scopeId, fact.user.tenantId]),
      fact,
    ]),
  );
  await tx.$executeRawUnsafe(sql.RECOMPUTE_BINDINGS, ...users([...touched.values()]));
}

async function writeTags(tx: Transaction, { tags }: WritePlan, idOf: DeviceIds, changed: Changed): Promise<void> {
  if (tags.length === 0) return;
  const count = await tx.$executeRawUnsafe(
    sql.UPSERT_TAGS,
    column(tags, ({ device }) => idOf(device)),
    column(tags, ({ key }) => key),
    column(tags, ({ value }) => value),
    column(tags, ({ at }) => at),
  );
  changed('DeviceTag', count);
}

async function writeRefused(tx: Transaction, refused: readonly DecodedMessage[], changed: Changed): Promise<void> {
  if (refused.length === 0) return;
  const rows = refused.map(setAsideRow);
  const count = await tx.$executeRawUnsafe(
    sql.INSERT_SET_ASIDE,
    column(rows, ({ id }) => id),
    column(rows, ({ reason }) => reason),
    column(rows, ({ detail }) => detail),
    column(rows, ({ transport }) => transport),
    column(rows, ({ messageId }) => messageId),
    column(rows, ({ topic }) => topic),
    column(rows, ({ generateTime }) => generateTime),
    column(rows, ({ properties }) => properties),
    column(rows, ({ body }) => `\\x${body.toString('hex')}`),
    column(rows, ({ receivedAt }) => receivedAt),
  );
  changed('SetAsideMessage', count);
}

function numberOf(value: Value): string | null {
  return value.kind === 'number' ? value.text : null;
}

function otherOf(value: Value): string | null {
  return value.kind === 'json' ? value.text : null;
}

function keyAt(devices: readonly DevicePlan[], place: number): string {
  return deviceKeyText(found(devices[place - 1]).device);
}

function withoutDashes(uuid: string): MessageKey {
  return uuid.replaceAll('-', '');
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a row that the database must have answered is missing');
  return value;
}
