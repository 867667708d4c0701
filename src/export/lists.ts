import { CannotExport } from './problem.js';

/** Lists by the names that people give them; what is in braces is a filter that becomes part of the address. */
const LISTS: Readonly<Record<string, string>> = {
  devices: '/v1/devices',
  readings: '/v1/fleet/readings',
  'device-readings': '/v1/devices/{device}/readings',
  events: '/v1/events',
  'device-events': '/v1/devices/{device}/events',
  bindings: '/v1/devices/{device}/bindings',
  'user-devices': '/v1/users/{identityId}/devices',
  properties: '/v1/devices/{device}/properties',
  'set-aside': '/v1/set-aside',
  replays: '/v1/set-aside/replays',
  ledger: '/v1/ingest/ledger',
};

/** The lists by name and path, for people. */
export const LIST_LINES = Object.entries(LISTS).map(([name, path]) => `  ${name.padEnd(16)} ${path}`);

/**
 * The address of a list: a name of ours, or any path under `/v1/`; filters as `name=value`.
 * @throws CannotExport
 */
export function addressOf(list: string, filters: readonly string[]): string {
  const template = list.startsWith('/v1/') ? list : LISTS[list];
  if (template === undefined) {
    throw new CannotExport(
      `There is no list ${list}: give a path such as /v1/devices, or one of ${Object.keys(LISTS).join(', ')}.`,
      2,
    );
  }
  const query = new URLSearchParams();
  const named = new Map<string, string>();
  for (const filter of filters) {
    const [, name = '', value = ''] = /^(\w+)=(.*)$/s.exec(filter) ?? [];
    if (name === '')
      throw new CannotExport(`${filter} is no filter: give name=value, such as productKey=a1B2c3D4e5F.`, 2);
    if (name === 'limit' || name === 'cursor') throw new CannotExport(`${name} is the command's own: leave it out.`, 2);
    if (template.includes(`{${name}}`)) named.set(name, value);
    else query.append(name, value);
  }
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = named.get(name);
    if (value === undefined) throw new CannotExport(`The list ${list} is that of one ${name}: give ${name}=….`, 2);
    return encodeURIComponent(value);
  });
  const [bare = '', given = ''] = path.split('?');
  const all = [given, query.toString()].filter((part) => part !== '').join('&');
  return all === '' ? bare : `${bare}?${all}`;
}
