import { z } from 'zod';
import type { DeviceEvent } from '../../domain/device-event.js';
import { decoder, fact, rejected } from '../decoder.js';
import { isJsonArray, isJsonObject } from '../json.js';
import { isStorable } from '../storable-text.js';
import { entryFault, identifier, instant, jsonArray } from '../wire-types.js';

const tag = z.object({
  attrKey: identifier.min(1),
  attrValue: z.string().refine(isStorable, 'holds a NUL character or half of a surrogate pair'),
});

/** Tags of a device were set (protocol 7.13). */
export const tags = decoder({
  name: 'tag change (7.13)',
  topics: ['tags'],
  shape: ({ value }) => isJsonArray(value) && value.some((entry) => isJsonObject(entry) && 'attrKey' in entry),
  body: z.object({ value: jsonArray, messageCreateTime: instant }),
  toEvents: ({ value, messageCreateTime }, message) =>
    fact(message, messageCreateTime, (at) => {
      const set: { key: string; value: string }[] = [];
      const rejections: DeviceEvent[] = [];
      for (const entry of value) {
        const parsed = tag.safeParse(entry);
        if (parsed.success) set.push({ key: parsed.data.attrKey, value: parsed.data.attrValue });
        else rejections.push(rejected(message, 'value', entryFault(entry, parsed.error), entry, messageCreateTime));
      }
      if (set.length === 0) return rejections;
      return [{ kind: 'tags-changed', device: message.device, at, tags: set }, ...rejections];
    }),
});
