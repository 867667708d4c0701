// @ts-check
import { canonical, NotKept } from '../canonical.mjs';
import { isObject } from '../exact-json.mjs';
import { heardEvent, identifierFault, label, rejected, requestId, require } from '../facts.mjs';
import { kind } from './kind.mjs';
import { failures } from './reports.mjs';

/**
 * @import { Json, JsonObject } from '../exact-json.mjs'
 * @import { Message } from '../facts.mjs'
 */

// Events of a device's model: 7.2, 7.11, 7.12.

export const eventPost = kind({
  topic: 'event-post',
  fits: (body) => typeof body.get('identifier') === 'string' && isObject(body.get('value')),
  read(message) {
    const { body, topic } = message;
    const identifier = body.has('identifier') ? body.get('identifier') : (topic.eventId ?? '');
    const value = body.get('value');
    require(typeof identifier === 'string' && isObject(value));
    const raised = raise(message, identifier, value, body.get('time'), body.get('name'), body.get('type'));
    return [...raised, ...failures(message, body.get('checkFailedData'))];
  },
});

export const eventBatch = kind({
  topic: 'event-batch',
  fits: (body, { kind: of }) => isObject(body.get('payload')) && of === 'event-batch',
  read(message) {
    const payload = message.body.get('payload');
    require(isObject(payload));
    const raised = [...payload].flatMap(([identifier, samples]) =>
      (Array.isArray(samples) ? samples : [samples]).flatMap((sample) => {
        const value = isObject(sample) ? sample.get('value') : undefined;
        return isObject(sample) && isObject(value)
          ? raise(message, identifier, value, sample.get('time'))
          : rejected(message, identifier, 'malformed', sample);
      }),
    );
    return [...raised, ...failures(message, message.body.get('checkFailedData'))];
  },
});

/**
 * @param {Message} message
 * @param {string} identifier
 * @param {JsonObject} value
 * @param {Json} [time]
 * @param {Json} [name]
 * @param {Json} [type]
 */
function raise(message, identifier, value, time, name, type) {
  /** @type {JsonObject} */
  const sent = new Map(Object.entries({ identifier, value }));
  if (time !== undefined) sent.set('time', time);
  const fault = identifierFault(identifier);
  if (fault !== null) return rejected(message, identifier, fault, sent, time);
  const at = message.times.of(time);
  if (typeof at === 'string') return rejected(message, identifier, at, sent);
  try {
    return heardEvent(message.device, 'event-raised', at, canonical(value), {
      identifier,
      name: label(name),
      type: label(type),
      requestId: requestId(message.body.get('requestId')),
    });
  } catch (error) {
    if (error instanceof NotKept) return rejected(message, identifier, error.reason, sent, time);
    throw error;
  }
}
