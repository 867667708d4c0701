import type { DeviceKey } from '../domain/device-key.js';
import { column } from './columns.js';
import * as sql from './history-statements.js';
import type { Transaction } from './prisma.service.js';
import type { DevicePlan, WritePlan } from './write-plan.js';

/** The earliest time of anything that a batch tells of a device. */
export function knownSince({ firstSeen, mentioned }: DevicePlan): Date | null {
  if (!firstSeen || !mentioned) return firstSeen ?? mentioned;
  return firstSeen < mentioned ? firstSeen : mentioned;
}

/** Notes identities that are new or known since earlier than thought. Comes before the devices' own update, which it looks at. */
export async function writeIdentities(
  tx: Transaction,
  devices: readonly DevicePlan[],
  { identities }: WritePlan,
  idOf: (device: DeviceKey) => number,
): Promise<void> {
  await tx.$executeRawUnsafe(
    sql.NOTE_IDENTITIES,
    column(devices, ({ device }) => idOf(device)),
    column(devices, knownSince),
    column(identities, ({ device }) => idOf(device)),
    column(identities, ({ attribute }) => attribute),
    column(identities, ({ value }) => value),
    column(identities, ({ at }) => at),
  );
}

/** Writes what is told rarely and changes the state: most batches hold none of it. */
export async function writeHistory(
  tx: Transaction,
  { history, presence }: WritePlan,
  idOf: (device: DeviceKey) => number,
): Promise<void> {
  if (history.length > 0) {
    await tx.$executeRawUnsafe(
      sql.INSERT_HISTORY,
      column(history, ({ device }) => idOf(device)),
      column(history, ({ attribute }) => attribute),
      column(history, ({ key }) => key),
      column(history, ({ at }) => at),
      column(history, ({ value }) => value),
      column(history, ({ part }) => part),
    );
  }
  if (presence.length > 0) await writePresence(tx, presence, idOf);
  const touched = [...presence, ...history.filter(({ attribute }) => attribute === 'lifecycle')];
  if (touched.length === 0) return;
  await tx.$executeRawUnsafe(
    sql.NOTE_TOUCHED,
    column(touched, ({ device }) => idOf(device)),
    column(touched, ({ at }) => at),
  );
}

async function writePresence(
  tx: Transaction,
  presence: WritePlan['presence'],
  idOf: (device: DeviceKey) => number,
): Promise<void> {
  const ids = column(presence, ({ device }) => idOf(device));
  const times = column(presence, ({ at }) => at);
  const order = column(presence, ({ orderedBy }) => orderedBy);
  await tx.$executeRawUnsafe(
    sql.INSERT_PRESENCE,
    ids,
    times,
    order,
    column(presence, ({ online }) => online),
    column(presence, ({ reason }) => reason),
  );
  await tx.$executeRawUnsafe(sql.DELETE_OUTRANKED, ids, times, order);
  await tx.$executeRawUnsafe(sql.MARK_BEGINNINGS, ids, times);
}
