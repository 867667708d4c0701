import { z } from 'zod';
import { decoder } from '../decoder.js';
import { raisedEvent } from '../raised-event.js';
import { isJsonObject } from '../json.js';
import { checkFailures } from '../readings.js';
import { anything, instant, jsonObject } from '../wire-types.js';

/** An event of the device's model, live or historical (protocol 7.2, 7.12). */
export const eventPost = decoder({
  name: 'event post (7.2)',
  topics: ['event-post'],
  shape: ({ identifier, value }) => typeof identifier === 'string' && isJsonObject(value),
  body: z.object({
    identifier: z.string().optional(),
    name: anything,
    type: anything,
    value: jsonObject,
    time: instant,
    requestId: anything,
    checkFailedData: anything,
  }),
  toEvents: ({ identifier, checkFailedData, ...event }, message) => {
    const { topic } = message;
    const eventId = identifier ?? (topic.scope === 'platform' ? topic.eventId : null) ?? '';
    return [raisedEvent(message, { identifier: eventId, ...event }), ...checkFailures(message, checkFailedData)];
  },
});
