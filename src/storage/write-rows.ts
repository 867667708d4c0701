import { type DecodedMessage, idPart, type MessageKey } from '../domain/decoded-message.js';
import { deviceKeyText, type DeviceKey } from '../domain/device-key.js';
import type { SpoolPosition } from '../domain/event-sink.js';
import { jsonOf, type Value } from '../domain/value.js';
import { column } from './columns.js';
import { knownSince, writeHistory, writeIdentities } from './history-rows.js';
import type { CountRow } from './outcome-tally.js';
import type { Transaction } from './prisma.service.js';
import { setAsideRow } from './set-aside-row.js';
import { ChangedRows } from './changed-rows.js';
import type { DevicePlan, SeriesPlan, WritePlan } from './write-plan.js';
import * as sql from './write-statements.js';

/** Which of these messages were seen on any day. */
export async function findSeen(tx: Transaction, messages: readonly DecodedMessage[]): Promise<Set<MessageKey>> {
  if (messages.length === 0) return new Set();
  const rows = await tx.$queryRawUnsafe<{ key: string }[]>(
    sql.FIND_SEEN,
    column(messages, ({ key }) => key),
  );
  return new Set(rows.map(({ key }) => withoutDashes(key)));
}

/**
 * Notes the keys as seen, each with its day; answers those that were new, each with whether the same day's messages, in the
 * database or in this batch, have its id already.
 */
export async function insertSeen(
  tx: Transaction,
  dayByKey: ReadonlyMap<MessageKey, string>,
): Promise<Map<MessageKey, boolean>> {
  if (dayByKey.size === 0) return new Map();
  const entries = [...dayByKey];
  const days = column(entries, ([, day]) => day);
  const keys = column(entries, ([key]) => key);
  const rows = await tx.$queryRawUnsafe<{ key: string; reused: boolean }[]>(sql.INSERT_SEEN, days, keys);
  const ids = new Set<string>();
  return new Map(
    rows.map(({ key: uuid, reused }) => {
      const key = withoutDashes(uuid);
      const known = ids.size < ids.add(idPart(key)).size ? reused : true;
      return [key, known];
    }),
  );
}

/** Adds to the counts. Last of all, so that their rows are locked as shortly as can be. */
export async function addCounts(tx: Transaction, rows: readonly CountRow[], replica: string): Promise<void> {
  await tx.$executeRawUnsafe(
    sql.ADD_COUNTS,
    column(rows, ({ minute }) => new Date(minute)),
    column(rows, ({ transport }) => transport),
    column(rows, () => replica),
    column(rows, ({ outcome }) => outcome),
    column(rows, ({ count }) => count),
  );
}

/** Notes up to where a spool is stored: in the transaction of its messages, so that none of them is stored twice. */
export async function noteSpoolPosition(tx: Transaction, at: SpoolPosition, replica: string): Promise<void> {
  await tx.$executeRawUnsafe(sql.NOTE_SPOOL_POSITION, at.spool, replica, String(at.position));
}

/** Locks the devices of a plan that exist, as writing it does first of all. */
export async function lockDevices(
  tx: Transaction,
  devices: readonly DevicePlan[],
): Promise<readonly { readonly id: number; readonly place: number }[]> {
  return tx.$queryRawUnsafe<{ id: number; place: number }[]>(
    sql.LOCK_DEVICES,
    column(devices, ({ device }) => device.productKey),
    column(devices, ({ device }) => device.deviceName),
  );
}

/**
 * Writes everything a plan holds, and into the change log what it changed.
 * @param logged false when no log is kept.
 * @returns the series whose current value was newer already.
 */
export async function writePlan(tx: Transaction, plan: WritePlan, logged: boolean): Promise<ReadonlySet<SeriesPlan>> {
  const changed = new ChangedRows(tx);
  const ids = await writeDevices(tx, plan, changed);
  await forgetOldState(tx, plan.devices, ids);
  const { idOf: seriesIds, late } = await writeSeries(tx, plan.series, ids);
  await writeReadings(plan.series, seriesIds, changed);
  await writeEvents(plan, ids, changed);
  await writeBindings(tx, plan, ids, changed);
  await writeTags(plan, ids, changed);
  await writeHistory(tx, plan, ids);
  await writeRefused(tx, plan.refused);
  if (logged) await changed.log();
  return late;
}

/** Notes for messages that were set aside that they were tried again, and what they are now. */
export async function markReplayed(tx: Transaction, messages: readonly DecodedMessage[]): Promise<void> {
  const rows = messages.map((message) => ({ id: message.key, refused: message.refusal && setAsideRow(message) }));
  await tx.$executeRawUnsafe(
    sql.MARK_REPLAYED,
    column(rows, ({ id }) => id),
    column(rows, ({ refused }) => refused?.reason ?? null),
    column(rows, ({ refused }) => refused?.detail ?? null),
    column(rows, ({ refused }) => refused?.kind ?? null),
    column(rows, ({ refused }) => refused?.productKey ?? null),
    column(rows, ({ refused }) => refused?.deviceName ?? null),
    column(rows, ({ refused }) => refused?.refusedBy ?? null),
  );
}

/** Locks messages that were set aside; answers the keys of those that are there. */
export async function lockSetAside(tx: Transaction, ids: readonly MessageKey[]): Promise<Set<MessageKey>> {
  const rows = await tx.$queryRawUnsafe<{ id: string }[]>(
    sql.LOCK_SET_ASIDE,
    column(ids, (id) => id),
  );
  return new Set(rows.map(({ id }) => withoutDashes(id)));
}

type DeviceIds = (device: DeviceKey) => number;

async function writeDevices(tx: Transaction, plan: WritePlan, changed: ChangedRows): Promise<DeviceIds> {
  const { devices } = plan;
  const ids = new Map<string, number>();
  let missing = devices;
  while (missing.length > 0) {
    for (const { id, place } of await lockDevices(tx, missing)) ids.set(keyAt(missing, place), id);
    missing = missing.filter(({ device }) => !ids.has(deviceKeyText(device)));
    if (missing.length === 0) break;
    const made = await tx.$queryRawUnsafe<({ id: number } & DeviceKey)[]>(
      sql.INSERT_DEVICES,
      column(missing, ({ device }) => device.productKey),
      column(missing, ({ device }) => device.deviceName),
    );
    for (const device of made) ids.set(deviceKeyText(device), device.id);
    changed.made(made.map(({ id }) => id));
    missing = missing.filter(({ device }) => !ids.has(deviceKeyText(device))); // made by another writer meanwhile
  }
  const idOf: DeviceIds = (device) => found(ids.get(deviceKeyText(device)));
  if (devices.length > 0) {
    await writeIdentities(tx, devices, plan, idOf);
    await updateDevices(devices, idOf, changed);
  }
  return idOf;
}

async function updateDevices(devices: readonly DevicePlan[], idOf: DeviceIds, changed: ChangedRows): Promise<void> {
  await changed.updateDevices(
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
    column(devices, knownSince),
  );
}

/** A device made anew starts without the state of the one before it. */
async function forgetOldState(tx: Transaction, devices: readonly DevicePlan[], idOf: DeviceIds): Promise<void> {
  const created = devices.filter(({ createdAt }) => createdAt);
  if (created.length === 0) return;
  const ids = column(created, ({ device }) => idOf(device));
  const times = column(created, ({ createdAt }) => createdAt);
  await tx.$executeRawUnsafe(sql.FORGET_OLD_PROPERTIES, ids, times);
  await tx.$executeRawUnsafe(sql.FORGET_OLD_TAGS, ids, times);
}

type SeriesIds = (series: SeriesPlan) => number;

async function writeSeries(
  tx: Transaction,
  series: readonly SeriesPlan[],
  idOf: DeviceIds,
): Promise<{ readonly idOf: SeriesIds; readonly late: ReadonlySet<SeriesPlan> }> {
  const ids = new Map<string, number>();
  const late = new Set<SeriesPlan>();
  const keyOf = (deviceId: number, identifier: string): string => `${deviceId} ${identifier}`;
  if (series.length > 0) {
    const known = await tx.$queryRawUnsafe<{ id: number; place: number; late: boolean }[]>(
      sql.UPDATE_SERIES,
      ...seriesColumns(series, idOf),
    );
    for (const { id, place, late: isLate } of known) {
      const one = found(series[place - 1]);
      ids.set(keyOf(idOf(one.device), one.identifier), id);
      if (isLate) late.add(one);
    }
    const missing = series.filter(({ device, identifier }) => !ids.has(keyOf(idOf(device), identifier)));
    if (missing.length > 0) {
      const made = await tx.$queryRawUnsafe<{ id: number; deviceId: number; identifier: string }[]>(
        sql.INSERT_SERIES,
        ...seriesColumns(missing, idOf),
      );
      for (const { id, deviceId, identifier } of made) ids.set(keyOf(deviceId, identifier), id);
    }
  }
  return { idOf: ({ device, identifier }) => found(ids.get(keyOf(idOf(device), identifier))), late };
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

async function writeReadings(series: readonly SeriesPlan[], idOf: SeriesIds, changed: ChangedRows): Promise<void> {
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
  await changed.insertReadings(
    column(rows, ({ id }) => id),
    column(rows, ({ at }) => at),
    column(rows, ({ only }) => (only ? numberOf(only) : null)),
    column(rows, ({ only }) => (only ? otherOf(only) : null)),
    column(rows, ({ only, values }) => (only ? null : `[${values.map(jsonOf).join(', ')}]`)),
  );
}

async function writeEvents({ events }: WritePlan, idOf: DeviceIds, changed: ChangedRows): Promise<void> {
  if (events.length === 0) return;
  await changed.insertEvents(
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
}

async function writeBindings(
  tx: Transaction,
  { bindings }: WritePlan,
  idOf: DeviceIds,
  changed: ChangedRows,
): Promise<void> {
  if (bindings.length === 0) return;
  const users = (rows: WritePlan['bindings']): string[] => [
    column(rows, ({ device }) => idOf(device)),
    column(rows, ({ user }) => user.identityId),
    column(rows, ({ user }) => user.scopeId),
    column(rows, ({ user }) => user.tenantId),
  ];
  await tx.$executeRawUnsafe(
    sql.INSERT_BINDINGS,
    ...users(bindings),
    column(bindings, ({ at }) => at),
    column(bindings, ({ bound }) => bound),
    column(bindings, ({ owned }) => owned),
  );
  const touched = new Map(
    bindings.map((fact) => [
      JSON.stringify([deviceKeyText(fact.device), fact.user.identityId, fact.user.scopeId, fact.user.tenantId]),
      fact,
    ]),
  );
  await changed.recomputeBindings(...users([...touched.values()]));
}

async function writeTags({ tags }: WritePlan, idOf: DeviceIds, changed: ChangedRows): Promise<void> {
  if (tags.length === 0) return;
  await changed.upsertTags(
    column(tags, ({ device }) => idOf(device)),
    column(tags, ({ key }) => key),
    column(tags, ({ value }) => value),
    column(tags, ({ at }) => at),
  );
}

async function writeRefused(tx: Transaction, refused: readonly DecodedMessage[]): Promise<void> {
  if (refused.length === 0) return;
  const rows = refused.map(setAsideRow);
  await tx.$executeRawUnsafe(
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
    column(rows, ({ kind }) => kind),
    column(rows, ({ productKey }) => productKey),
    column(rows, ({ deviceName }) => deviceName),
    column(rows, ({ refusedBy }) => refusedBy),
  );
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
