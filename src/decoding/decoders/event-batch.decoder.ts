import { z } from 'zod';
import type { DeviceEvent } from '../../domain/device-event.js';
import { decoder, rejected, type Message } from '../decoder.js';
import { isJsonArray, isJsonObject, type Json } from '../json.js';
import { raisedEvent } from '../raised-event.js';
import { checkFailures } from '../readings.js';
import { anything, jsonObject } from '../wire-types.js';

/** Events of several moments in one message (protocol 7.11). Its body looks like a property batch: the topic decides. */
export const eventBatch = decoder({
  name: 'event batch post (7.11)',
  topics: ['event-batch'],
  shape: ({ payload }, topic) => isJsonObject(payload) && topic.scope === 'platform' && topic.kind === 'event-batch',
  body: z.object({ payload: jsonObject, requestId: anything, checkFailedData: anything }),
  toEvents: ({ payload, requestId, checkFailedData }, message) => [
    ...Object.entries(payload).flatMap(([identifier, samples]) =>
      (isJsonArray(samples) ? samples : [samples]).map((sample) => one(message, identifier, sample, requestId)),
    ),
    ...checkFailures(message, checkFailedData),
  ],
});

function one(message: Message, identifier: string, sample: Json, requestId: Json | undefined): DeviceEvent {
  if (!isJsonObject(sample) || !isJsonObject(sample['value']))
    return rejected(message, identifier, 'malformed', sample);
  return raisedEvent(message, { identifier, value: sample['value'], time: sample['time'], requestId });
}
