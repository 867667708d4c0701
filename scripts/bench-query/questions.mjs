// @ts-check
import { DAY_MS, DENSE_PRODUCT, anyDevice, denseDevice } from './fleet.mjs';

/**
 * A question that REST is asked, each time about something else.
 * @typedef {object} Question
 * @property {string} name
 * @property {(index: number) => string} path
 * @property {number | null} withinMs what its p99 should be; null where none was promised
 * @property {number} [perSecond] asked at this rate rather than one after the other
 */

const FIVE = ['Temperature', 'Humidity', 'Power', 'Battery', 'PowerSwitch'];

/**
 * @param {import('./fleet.mjs').Fleet} fleet
 * @returns {readonly Question[]}
 */
export function questions(fleet) {
  const end = fleet.end.getTime();
  const ago = (/** @type {number} */ days, index = 0) => new Date(end - days * DAY_MS - index * 1_000).toISOString();
  const dayAgo = (/** @type {number} */ days) => `${ago(days).slice(0, 10)}T00:00:00Z`;
  const any = (/** @type {number} */ index) => anyDevice(fleet, (index * 7919) % fleet.devices);
  const dense = (/** @type {number} */ index) => denseDevice(index % fleet.dense);
  const month = `from=${ago(30)}&to=${ago(0)}`;
  const five = FIVE.map((identifier) => `identifier=${identifier}`).join('&');
  return [
    { name: 'state', path: (i) => `/v1/devices/${any(i)}`, withinMs: 10, perSecond: 200 },
    { name: 'devices', path: (i) => `/v1/devices?productKey=a1Product${i % 7}`, withinMs: null },
    {
      name: 'devices-common',
      path: (i) => `/v1/devices?filter=online eq true and state.Temperature gt ${22 + (i % 10) / 10}`,
      withinMs: 50,
    },
    {
      name: 'devices-rare',
      path: (i) => `/v1/devices?filter=state.Temperature gt 28.${2 + (i % 3)} and not (tags.floor eq "${i % 40}")`,
      withinMs: 50,
    },
    {
      name: 'devices-none',
      path: (i) => `/v1/devices?filter=state.Temperature gt ${100 + i} and online eq true`,
      withinMs: 50,
    },
    { name: 'devices-tag', path: (i) => `/v1/devices?filter=tags.site eq "site-${i % 500}"`, withinMs: null },
    {
      name: 'devices-sorted',
      path: (i) => `/v1/devices?sort=${i % 2 === 0 ? '-' : ''}lastSeen&limit=100`,
      withinMs: null,
    },
    { name: 'readings', path: (i) => `/v1/devices/${any(i)}/readings?limit=100`, withinMs: null },
    {
      name: 'readings-range',
      path: (i) => `/v1/devices/${dense(i)}/readings?${five}&from=${ago(20, i)}&to=${ago(19, i)}&order=asc&limit=1000`,
      withinMs: null,
    },
    {
      name: 'aggregates',
      path: (i) => `/v1/devices/${dense(i)}/aggregates?${five}&interval=PT1H&functions=avg,min,max&${month}`,
      withinMs: 50,
    },
    {
      name: 'aggregates-days',
      path: (i) =>
        `/v1/devices/${dense(i)}/aggregates?${five}&interval=P1D&timeZone=Asia/Shanghai&functions=avg,min,max,timeWeightedAverage&${month}`,
      withinMs: null,
    },
    {
      name: 'series',
      path: (i) => `/v1/devices/${dense(i)}/series?identifier=${FIVE[i % 3] ?? ''}&points=500&${month}`,
      withinMs: 100,
    },
    { name: 'as-of', path: (i) => `/v1/devices?at=${ago(30, i)}&limit=100`, withinMs: 200 },
    { name: 'as-of-one', path: (i) => `/v1/devices/${any(i)}?at=${ago(30, i)}`, withinMs: null },
    { name: 'presence', path: (i) => `/v1/devices/${any(i)}/presence?${month}`, withinMs: null },
    { name: 'presence-summary', path: (i) => `/v1/devices/${any(i)}/presence/summary?${month}`, withinMs: null },
    { name: 'presence-now', path: () => '/v1/presence', withinMs: null },
    {
      name: 'presence-curve',
      path: (i) => `/v1/presence/curve?from=${ago(7, i)}&to=${ago(0)}&interval=PT1H`,
      withinMs: null,
    },
    {
      name: 'presence-flapping',
      path: (i) => `/v1/presence/flapping?from=${dayAgo(7 + (i % 3))}&to=${dayAgo(0)}`,
      withinMs: null,
    },
    { name: 'presence-silent', path: () => '/v1/presence/silent', withinMs: null },
    { name: 'user-devices', path: (i) => `/v1/users/user-${i % 1_000}/devices`, withinMs: null },
    { name: 'events', path: (i) => `/v1/devices/${any(i)}/events`, withinMs: null },
    { name: 'events-kind', path: (i) => `/v1/events?kind=event-raised&to=${ago(1, i)}`, withinMs: null },
    {
      name: 'events-counts',
      path: (i) => `/v1/events/counts?interval=P1D&by=kind&from=${ago(1, i)}&to=${ago(0)}`,
      withinMs: null,
    },
  ];
}

/** The list that is exported whole. */
export const EXPORT = `/v1/fleet/readings?productKey=${DENSE_PRODUCT}`;
