// @ts-check
import { canonicalOfAny } from '../canonical.mjs';
import { isObject } from '../exact-json.mjs';
import { event, object, oneFact, part, rejected, require, Spelt, wholeNumber } from '../facts.mjs';
import { kind } from './kind.mjs';

/**
 * @import { Fact } from '../facts.mjs'
 * @import { At } from '../times.mjs'
 * @import { DeviceName } from '../topic.mjs'
 */

// "Presence: ordered by utcLastTime, but by utcTime where that is absent or a `protocol` is named." 7.4, 7.5.

export const enterpriseStatus = kind({
  topic: 'status',
  fits: (body, topic) => isState(body.get('status')) && (body.has('utcTime') || topic.kind === 'status'),
  read(message) {
    const { body, times } = message;
    const status = body.get('status');
    require(isState(status));
    return oneFact(message, body.get('utcTime'), (at) => {
      const lastSent = body.get('utcLastTime') ?? null;
      const protocol = body.get('protocol') ?? '';
      const lastAt = lastSent === null || protocol !== '' ? at : times.of(lastSent);
      const order = typeof lastAt === 'string' ? at : lastAt;
      const detail = canonicalOfAny(part(body, ['clientIp', 'protocol', 'time', 'lastTime', 'utcLastTime']));
      const told = presence(
        message.device,
        status === 'online',
        at,
        order,
        reasonOf(body.get('offlineReasonCode')),
        detail,
      );
      return typeof lastAt === 'string' ? [...told, ...rejected(message, 'utcLastTime', lastAt, lastSent)] : told;
    });
  },
});

export const livingStatus = kind({
  topic: 'status',
  fits: (body) => isObject(body.get('status')),
  read(message) {
    const status = message.body.get('status');
    require(isObject(status));
    const value = status.get('value');
    const action = message.body.get('action');
    const code = value === undefined ? (isState(action) ? action : null) : wholeNumber(value);
    require(code !== null && ['1', '0', '3', 'online', 'offline'].includes(code));
    const online = code === '1' || code === 'online';
    return oneFact(message, status.get('time'), (at) =>
      presence(message.device, online, at, at, null, canonicalOfAny(part(message.body, ['clientIp']))),
    );
  },
});

/** @param {unknown} status @returns {status is 'online' | 'offline'} */
const isState = (status) => status === 'online' || status === 'offline';

/** @param {Parameters<typeof wholeNumber>[0]} code */
function reasonOf(code) {
  const number = Number(wholeNumber(code) ?? NaN);
  return Math.abs(number) < 2 ** 31 ? number : null;
}

/**
 * @param {DeviceName} device
 * @param {boolean} online
 * @param {At} at
 * @param {At} order
 * @param {number | null} reason
 * @param {string} detail
 * @returns {Fact[]}
 */
function presence(device, online, at, order, reason, detail) {
  const orderedBy = order === null ? 'receipt' : new Date(order).toISOString();
  const value = object({ online, reason, orderedBy, detail: new Spelt(detail) });
  return [
    event(device, 'presence-changed', at, value, { type: online ? 'online' : 'offline' }),
    { what: 'presence', device, at, order, online, reason },
    { what: 'heard', device, at: order },
  ];
}
