import { z } from 'zod';
import type { DeviceEvent } from '../../domain/device-event.js';
import { decoder } from '../decoder.js';
import { checkFailures, ReadingCollector } from '../readings.js';
import { isJsonObject } from '../json.js';
import { anything, jsonObject } from '../wire-types.js';

/** Property values, live or historical (protocol 7.1, 7.12): the two differ in nothing but their topic. */
export const propertyPost = decoder({
  name: 'property post (7.1)',
  topics: ['property-post'],
  shape: ({ items }) => isJsonObject(items),
  body: z
    .object({ items: jsonObject.optional(), checkFailedData: anything })
    .refine(({ items, checkFailedData }) => items !== undefined || isJsonObject(checkFailedData), {
      path: ['items'],
      message: 'must be an object',
    }),
  toEvents: ({ items = {}, checkFailedData }, message): readonly DeviceEvent[] => {
    const readings = new ReadingCollector(message);
    for (const identifier of Object.keys(items)) readings.add(identifier, items[identifier]);
    return [...readings.events(), ...checkFailures(message, checkFailedData)];
  },
});
