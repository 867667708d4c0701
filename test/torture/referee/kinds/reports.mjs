// @ts-check
import { canonical, NotKept } from '../canonical.mjs';
import { isObject } from '../exact-json.mjs';
import { identifierFault, rejected, require, timeOf } from '../facts.mjs';
import { kind } from './kind.mjs';

/**
 * @import { Json, JsonObject } from '../exact-json.mjs'
 * @import { Fact, Message } from '../facts.mjs'
 */

// Property values: 7.1, 7.10, 7.12. One bad value in a good message costs only itself.

export const propertyPost = kind({
  topic: 'property-post',
  fits: (body) => isObject(body.get('items')),
  read(message) {
    const items = message.body.get('items');
    const failed = message.body.get('checkFailedData');
    require(isObject(items) || (items === undefined && isObject(failed)));
    const told = isObject(items) ? [...items].flatMap(([identifier, item]) => reading(message, identifier, item)) : [];
    return [...told, ...failures(message, failed)];
  },
});

export const propertyBatch = kind({
  topic: 'property-batch',
  fits: (body, { kind: of }) => {
    const payload = body.get('payload');
    return isObject(payload) && of !== 'event-batch' && (of === 'property-batch' || holdsPlainSamples(payload));
  },
  read(message) {
    const payload = message.body.get('payload');
    require(isObject(payload));
    const told = [...payload].flatMap(([identifier, samples]) =>
      (Array.isArray(samples) ? samples : [samples]).flatMap((sample) => reading(message, identifier, sample)),
    );
    return [...told, ...failures(message, message.body.get('checkFailedData'))];
  },
});

/** Events have structs for values, always. @param {JsonObject} payload */
function holdsPlainSamples(payload) {
  return [...payload.values()].some(
    (samples) =>
      Array.isArray(samples) &&
      samples.some(
        (sample) =>
          isObject(sample) && sample.has('time') && sample.has('value') && !isObject(sample.get('value') ?? null),
      ),
  );
}

/**
 * @param {Message} message
 * @param {string} identifier
 * @param {Json} item
 * @returns {Fact[]}
 */
function reading(message, identifier, item) {
  const fault = identifierFault(identifier);
  if (fault !== null) return unnameable(message, identifier, fault, item);
  if (!isObject(item) || !item.has('value')) return rejected(message, identifier, 'malformed', item);
  const at = message.times.of(item.get('time'));
  if (typeof at === 'string') return rejected(message, identifier, at, item);
  try {
    const value = canonical(item.get('value') ?? null);
    const { device } = message;
    return [
      { what: 'reading', device, at, identifier, value },
      { what: 'heard', device, at },
    ];
  } catch (error) {
    if (error instanceof NotKept) return rejected(message, identifier, error.reason, item, item.get('time'));
    throw error;
  }
}

/**
 * The platform's own validation (`checkFailedData`).
 * @param {Message} message
 * @param {Json | undefined} failed
 */
export function failures(message, failed) {
  if (failed === undefined || failed === null) return [];
  if (!isObject(failed)) return rejected(message, 'checkFailedData', 'malformed', failed);
  return [...failed].flatMap(([identifier, entry]) =>
    identifierFault(identifier) === null
      ? rejected(message, identifier, 'check-failed', entry, timeOf(entry))
      : unnameable(message, identifier, 'check-failed', entry),
  );
}

/**
 * The rejected value says in full what the identifier cannot.
 * @param {Message} message
 * @param {string} identifier
 * @param {string} reason
 * @param {Json} item
 */
function unnameable(message, identifier, reason, item) {
  return rejected(message, identifier, reason, new Map([[identifier, item]]), timeOf(item));
}
