import { z } from 'zod';
import { decoder } from '../decoder.js';
import { isJsonArray, isJsonObject, type JsonObject } from '../json.js';
import { checkFailures, ReadingCollector } from '../readings.js';
import { anything, jsonObject } from '../wire-types.js';

/** Property values of several moments in one message (protocol 7.10). Only the topic tells an event batch of structs from it. */
export const propertyBatch = decoder({
  name: 'property batch post (7.10)',
  topics: ['property-batch'],
  shape: ({ payload }, topic) =>
    isJsonObject(payload) &&
    !(topic.scope === 'platform' && topic.kind === 'event-batch') &&
    ((topic.scope === 'platform' && topic.kind === 'property-batch') || holdsPlainSamples(payload)),
  body: z.object({ payload: jsonObject, checkFailedData: anything }),
  toEvents: ({ payload, checkFailedData }, message) => {
    const readings = new ReadingCollector(message);
    for (const identifier of Object.keys(payload)) {
      const samples = payload[identifier];
      if (!isJsonArray(samples)) readings.add(identifier, samples);
      else for (const sample of samples) readings.add(identifier, sample);
    }
    return [...readings.events(), ...checkFailures(message, checkFailedData)];
  },
});

/** Samples of which at least one is no struct, as the parameters of an event always are. */
function holdsPlainSamples(payload: JsonObject): boolean {
  return Object.values(payload).some(
    (samples) =>
      isJsonArray(samples) &&
      samples.some(
        (sample) => isJsonObject(sample) && 'time' in sample && 'value' in sample && !isJsonObject(sample['value']),
      ),
  );
}
