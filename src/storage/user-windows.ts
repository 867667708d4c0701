import { type DeviceReference, findDevice, type FoundDevice } from './device.reader.js';
import { column } from './columns.js';
import { epochMs, Parameters } from './read-columns.js';
import type { Bounds } from './reading-source.js';
import type { Query } from './snapshots.js';

/** A user, in one tenant or isolation scope where these are named, else in all. */
export interface UserReference {
  readonly identityId: string;
  readonly scopeId?: string | undefined;
  readonly tenantId?: string | undefined;
}

/** A device and the stretches of time that a question may look at: sorted, disjoint, half-open. */
export interface ScopedDevice {
  readonly device: FoundDevice;
  readonly windows: readonly Bounds[];
}

/** How many windows a question about all devices of a user may look at. */
const MANY_WINDOWS = 200;

/** A user held more devices, or the same ones more often, than one question may look at. */
export class TooManyWindows extends Error {
  override readonly name = 'TooManyWindows';

  constructor(readonly limit: number) {
    super(`more than ${limit} windows`);
  }
}

/** All of time: what a question may look at that is asked in nobody's name. */
export const ALWAYS: readonly Bounds[] = [{ low: -Infinity, high: Infinity }];

/**
 * The device that a request means, and when it was the user's; without a user, all of time.
 * @returns null when there is no such device, or when it never was the user's: nobody can tell the two apart.
 * @throws SeveralDevices
 */
export async function findScopedDevice(
  query: Query,
  reference: DeviceReference,
  user: UserReference | undefined,
): Promise<ScopedDevice | null> {
  const device = await findDevice(query, reference);
  if (!device) return null;
  if (!user) return { device, windows: ALWAYS };
  const windows = await userWindows(query, device.id, user);
  return windows.length > 0 ? { device, windows } : null;
}

/**
 * When a user owned or shared a device. A window begins with a bind and ends before the next fact of the same user, scope and
 * tenant; the last one may have no end. An unbind whose bind nobody heard makes none: where it would begin is not known, and what
 * lies before may be somebody else's.
 */
export async function userWindows(query: Query, deviceId: number, user: UserReference): Promise<readonly Bounds[]> {
  return (await windowsOfDevices(query, [deviceId], user)).get(deviceId) ?? [];
}

/** The same of several devices, by their ids; those that never were the user's are left out. */
export async function windowsOfDevices(
  query: Query,
  deviceIds: readonly number[],
  user: UserReference,
): Promise<ReadonlyMap<number, readonly Bounds[]>> {
  const parameters = new Parameters();
  const ids = parameters.add(column(deviceIds, Number), 'text');
  const rows = await query<DeviceWindowRow>(
    `SELECT b."deviceId", ${WINDOW} FROM "UserBinding" b
     WHERE b."deviceId" = ANY(${ids}::int4[]) AND ${ofUser(parameters, user).join(' AND ')} AND ${IS_WINDOW} ORDER BY b."from"`,
    ...parameters.values,
  );
  return byDevice(rows);
}

/** Conditions on a binding `b`. */
export function ofUser(parameters: Parameters, user: UserReference): string[] {
  return [`b."identityId" = ${parameters.add(user.identityId, 'text')}`, ...narrowedTo(parameters, user)];
}

/** The same, whoever the user is. */
export function narrowedTo(parameters: Parameters, { scopeId, tenantId }: Omit<UserReference, 'identityId'>): string[] {
  const conditions: string[] = [];
  if (scopeId !== undefined) conditions.push(`b."scopeId" = ${parameters.add(scopeId, 'text')}`);
  if (tenantId !== undefined) conditions.push(`b."tenantId" = ${parameters.add(tenantId, 'text')}`);
  return conditions;
}

/** Stretches in the order of their beginnings as few that do not touch: a user may hold a device in several ways at once. */
export function joined(stretches: readonly Bounds[]): readonly Bounds[] {
  const whole: Bounds[] = [];
  for (const { low, high } of stretches) {
    const last = whole.at(-1);
    if (last && low <= last.high) whole[whole.length - 1] = { low: last.low, high: Math.max(last.high, high) };
    else whole.push({ low, high });
  }
  return whole;
}

/** What of the windows lies within a stretch. */
export function within(windows: readonly Bounds[], { low, high }: Bounds): readonly Bounds[] {
  return windows
    .map((window) => ({ low: Math.max(window.low, low), high: Math.min(window.high, high) }))
    .filter((window) => window.low < window.high);
}

/** Whether a moment lies in one of the windows. */
export function holds(windows: readonly Bounds[], at: number): boolean {
  return windows.some(({ low, high }) => low <= at && at < high);
}

/** The devices that a user ever owned or shared, each with its windows. @throws TooManyWindows */
export async function devicesOfUser(
  query: Query,
  user: UserReference,
): Promise<readonly { readonly deviceId: number; readonly windows: readonly Bounds[] }[]> {
  const parameters = new Parameters();
  const rows = await query<DeviceWindowRow>(
    `SELECT b."deviceId", ${WINDOW} FROM "UserBinding" b
     WHERE ${ofUser(parameters, user).join(' AND ')} AND ${IS_WINDOW}
     ORDER BY b."deviceId", b."from" LIMIT ${MANY_WINDOWS + 1}`,
    ...parameters.values,
  );
  if (rows.length > MANY_WINDOWS) throw new TooManyWindows(MANY_WINDOWS);
  return [...byDevice(rows)].map(([deviceId, windows]) => ({ deviceId, windows }));
}

interface WindowRow {
  readonly low: number;
  readonly high: number | null;
}

interface DeviceWindowRow extends WindowRow {
  readonly deviceId: number;
}

const WINDOW = `${epochMs('b."from"')} AS "low", ${epochMs('b."until"')} AS "high"`;
/** At one time the last fact counts: what ends as it begins is no time at all. */
const IS_WINDOW = `b."bound" AND b."until" IS DISTINCT FROM b."from"`;

/** @param rows in the order of their beginnings */
function byDevice(rows: readonly DeviceWindowRow[]): ReadonlyMap<number, readonly Bounds[]> {
  const stretches = new Map<number, Bounds[]>();
  for (const { deviceId, low, high } of rows) {
    const ofDevice = stretches.get(deviceId) ?? [];
    ofDevice.push({ low, high: high ?? Infinity });
    stretches.set(deviceId, ofDevice);
  }
  return new Map([...stretches].map(([deviceId, ofDevice]) => [deviceId, joined(ofDevice)]));
}
