// @ts-check
import { isNumber } from './order.mjs';
import { brief, columns, put, time } from './shown.mjs';

/**
 * @import { DeviceState } from './device-state.mjs'
 * @import { Tables } from './shown.mjs'
 */

/**
 * The rows that a device's state makes. Where something was heard with no time but its receipt, `≤`, `≥` and `*` say what is
 * known all the same.
 * @param {DeviceState} state
 * @param {Tables} tables
 */
export function addDeviceRows(state, tables) {
  table(tables, 'Device').set(state.name, columns(deviceColumns(state)));
  const { name, created } = state;
  const isHistory = (/** @type {number} */ at) => created !== null && at < created;
  for (const [key, [at, value]] of state.tags) {
    if (!isHistory(at))
      put(table(tables, 'DeviceTag'), `${name} ${key}`, columns({ value: brief(value), at: time(at) }));
  }
  for (const [identifier, { at, value, readings }] of state.series) {
    const key = `${name} ${identifier}`;
    const current = isHistory(at) ? 'none' : `${time(at)} ${shownValue(value)}`;
    put(table(tables, 'DeviceProperty'), key, current);
    const rows = table(tables, 'PropertyReading');
    for (const [ms, values] of readings) put(rows, `${key} ${time(ms)}`, shownReading(values));
  }
  for (const { user, facts } of state.users.values()) addBindings(name, user, [...facts.values()], tables);
}

/** @param {DeviceState} state */
function deviceColumns({ iotId, deviceType, presence, lifecycle, created, gateway, firstSeen, lastSeen, undated }) {
  const isHistory = (/** @type {number} */ at) => created !== null && at < created;
  const status = presence && !isHistory(presence[0]) ? presence : null;
  const attached = gateway && !isHistory(gateway[0]) ? gateway : null;
  const told = [...undated.iotIds];
  const onlyId = told.every((id) => id === (iotId?.[1] ?? told[0]));
  return {
    iotId: told.length === 0 || onlyId ? (iotId?.[1] ?? told[0] ?? null) : '*',
    iotIdAt: told.length === 0 ? timeOf(iotId?.[0]) : iotId ? `≥${time(iotId[0])}` : '*',
    deviceType: deviceType?.[1] ?? null,
    deviceTypeAt: timeOf(deviceType?.[0]),
    online: status?.[2] ?? null,
    since: timeOf(status?.[1]),
    presenceOrder: timeOf(status?.[0]),
    offlineReason: status?.[3] ?? null,
    lifecycle: lifecycle?.[1] ?? null,
    lifecycleAt: timeOf(lifecycle?.[0]),
    createdAt: timeOf(created),
    gatewayProductKey: attached?.[1] ? attached[2] : null,
    gatewayDeviceName: attached?.[1] ? attached[3] : null,
    gatewayAt: timeOf(attached?.[0]),
    firstSeen: undated.heard ? (firstSeen === null ? '*' : `≤${time(firstSeen)}`) : timeOf(firstSeen),
    lastSeen: undated.heard ? (lastSeen === null ? '*' : `≥${time(lastSeen)}`) : timeOf(lastSeen),
  };
}

/** @param {number | null | undefined} at */
const timeOf = (at) => (at === null || at === undefined ? null : time(at));

/** @param {string} value canonical */
const shownValue = (value) => (isNumber(value) ? value : `json ${brief(value)}`);

/** @param {string | string[]} values */
const shownReading = (values) =>
  typeof values === 'string' ? shownValue(values) : `several ${brief(`[${values.join(', ')}]`)}`;

/**
 * "From when to when follows from the facts. An unbind without a bind is an interval with an unknown start; at equal times an
 * unbind loses."
 * @param {string} device
 * @param {readonly string[]} user
 * @param {{ at: number, bound: boolean, owned: boolean }[]} facts
 * @param {Tables} tables
 */
function addBindings(device, user, facts, tables) {
  facts.sort((a, b) => a.at - b.at || Number(a.bound) - Number(b.bound) || Number(a.owned) - Number(b.owned));
  facts.forEach(({ at, bound, owned }, index) => {
    const before = facts[index - 1];
    const next = facts[index + 1];
    const endsUnknown = !bound && (!before || (!before.bound && before.at !== at));
    const until = bound ? next?.at : endsUnknown ? at : null;
    const key = `${device} ${JSON.stringify(user)} ${time(at)} ${bound ? 'bound' : 'unbound'} ${owned ? 'owner' : 'shared'}`;
    put(table(tables, 'UserBinding'), key, columns({ from: bound ? time(at) : null, until: timeOf(until) }));
  });
}

/**
 * @param {Tables} tables
 * @param {string} name
 */
export function table(tables, name) {
  const rows = tables.get(name);
  if (!rows) throw new Error(`There is no table ${name}`);
  return rows;
}
