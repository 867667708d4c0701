// @ts-check
import { isObject } from '../exact-json.mjs';
import { event, heardEvent, list, object, oneFact, rejected, require } from '../facts.mjs';
import { attributes, listed, nameOf } from '../naming.mjs';
import { kind } from './kind.mjs';

/**
 * @import { Json } from '../exact-json.mjs'
 * @import { Fact, Message } from '../facts.mjs'
 */

// Gateways and what sits behind them: 7.8, 7.9. Told of the gateway, and of each sub-device.

/** Older instances have words of their own. @type {ReadonlyMap<Json | undefined, string>} */
const ACTIONS = new Map([
  ['create', 'create'],
  ['add', 'create'],
  ['delete', 'delete'],
  ['remove', 'delete'],
  ['enable', 'enable'],
  ['disable', 'disable'],
]);

export const topology = kind({
  topic: 'topology',
  subject: 'gateway',
  fits: (body) => typeof body.get('action') === 'string' && isGroup(body.get('devices')),
  others: (body) => named(body.get('devices')),
  read(message) {
    const { body, device: gateway } = message;
    const action = ACTIONS.get(body.get('action'));
    require(action !== undefined && isGroup(body.get('devices')));
    const subs = named(body.get('devices'));
    const told = oneFact(message, body.get('messageCreateTime'), (at) => {
      const changed = object({ action, subDevices: list(subs.map(nameOf)) });
      const facts = subs.flatMap((sub) => {
        const value = object({ action, gateway: nameOf(gateway) });
        const fact = event(sub, 'gateway-changed', at, value, { type: action });
        if (action !== 'create' && action !== 'delete') return [fact];
        return [
          fact,
          /** @type {Fact} */ ({ what: 'gateway', device: sub, at, gateway: action === 'create' ? gateway : null }),
        ];
      });
      return subs.length > 0 ? [event(gateway, 'topology-changed', at, changed, { type: action }), ...facts] : [];
    });
    return [...told, ...ofAll(message)];
  },
});

export const found = kind({
  topic: 'found',
  subject: 'gateway',
  fits: (body) => !body.has('action') && isGroup(body.get('devices')),
  others: (body) => named(body.get('devices')),
  read(message) {
    const { body, device } = message;
    require(isGroup(body.get('devices')));
    const subs = named(body.get('devices'));
    const told = oneFact(message, body.get('messageCreateTime'), (at) =>
      subs.length > 0
        ? heardEvent(device, 'sub-devices-found', at, object({ subDevices: list(subs.map(nameOf)) }))
        : [],
    );
    return [...told, ...ofAll(message)];
  },
});

/** Documented as an object, sampled as an array. @param {Json | undefined} devices */
const isGroup = (devices) => Array.isArray(devices) || isObject(devices);

/** @param {Json | undefined} devices */
const entries = (devices) => (Array.isArray(devices) ? devices : isObject(devices) ? [devices] : []);

/** @param {Json | undefined} devices */
const named = (devices) => entries(devices).flatMap((entry) => listed(entry) ?? []);

/**
 * The attributes of gateway and sub-devices, and the entries that name nobody.
 * @param {Message} message
 */
function ofAll(message) {
  const facts = attributes(message, message.device, message.body.get('gwIotId'));
  for (const entry of entries(message.body.get('devices'))) {
    const device = listed(entry);
    if (device === null) facts.push(...rejected(message, 'devices', 'malformed', entry));
    else if (isObject(entry)) facts.push(...attributes(message, device, entry.get('iotId'), entry.get('deviceType')));
  }
  return facts;
}
