// @ts-check
import { canonical, NotKept } from '../canonical.mjs';
import { event, heardEvent, oneFact, part, Refused, require } from '../facts.mjs';
import { kind } from './kind.mjs';

/**
 * @import { JsonObject } from '../exact-json.mjs'
 * @import { Message } from '../facts.mjs'
 */

// Firmware upgrades: 7.14 to 7.17.

/**
 * @param {JsonObject} body
 * @param {readonly string[]} names
 */
const hasAny = (body, names) => names.some((name) => (body.get(name) ?? null) !== null) || body.has(names.at(-1) ?? '');

/**
 * @param {Message} message
 * @param {string} kindOfEvent
 * @param {readonly string[]} fields
 */
function tell(message, kindOfEvent, fields) {
  const { body, device } = message;
  return oneFact(message, body.get('messageCreateTime'), (at) =>
    heardEvent(device, kindOfEvent, at, canonical(part(body, fields))),
  );
}

export const upgradeProgress = kind({
  topic: 'progress',
  fits: (body, topic) =>
    hasAny(body, ['jobId', 'taskId', 'destVersion', 'moduleName']) && (body.has('step') || topic.kind === 'progress'),
  read(message) {
    require(hasAny(message.body, ['step', 'jobId', 'taskId', 'destVersion']));
    return tell(message, 'upgrade-progressed', [
      'step',
      'status',
      'srcVersion',
      'destVersion',
      'desc',
      'jobId',
      'taskId',
      'moduleName',
      'moduleVersion',
    ]);
  },
});

export const upgradeResult = kind({
  topic: 'upgrade',
  fits: (body, topic) =>
    typeof body.get('status') === 'string' &&
    (body.has('taskId') || (body.has('jobId') && body.has('destVersion'))) &&
    !body.has('step') &&
    !body.has('packageId') &&
    topic.kind !== 'progress',
  read(message) {
    require(typeof message.body.get('status') === 'string');
    return tell(message, 'upgrade-finished', [
      'status',
      'srcVersion',
      'destVersion',
      'desc',
      'jobId',
      'taskId',
      'moduleName',
    ]);
  },
});

export const moduleVersion = kind({
  topic: 'version',
  fits: (body) => typeof body.get('moduleVersion') === 'string' && !body.has('step'),
  read(message) {
    require(typeof message.body.get('moduleVersion') === 'string');
    return tell(message, 'version-reported', ['moduleName', 'moduleVersion']);
  },
});

/** Of a product: there is no device whose rejected value it could be. */
export const upgradeJob = kind({
  topic: 'job',
  subject: 'product',
  fits: (body) => isJob(body) && !body.has('deviceName'),
  read({ body, device, times }) {
    require(isJob(body));
    const at = times.of(body.get('messageCreateTime'));
    require(typeof at !== 'string');
    try {
      const value = canonical(part(body, ['moduleName', 'packageId', 'jobId', 'status']));
      return [{ ...event(device, 'upgrade-job-changed', at, value), device: null }];
    } catch (error) {
      throw error instanceof NotKept ? new Refused('not-storable') : error;
    }
  },
});

/** @param {JsonObject} body */
const isJob = (body) => ['packageId', 'jobId', 'status'].every((name) => typeof body.get(name) === 'string');
