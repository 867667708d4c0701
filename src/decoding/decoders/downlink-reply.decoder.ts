import { z } from 'zod';
import { decoder, valueFact } from '../decoder.js';
import { pick } from '../json.js';
import { anything, instant, integerOf, integerText, requestIdOf } from '../wire-types.js';

/** Codes with which the platform itself answers, because the command never reached the device. */
const PLATFORM_CODES = new Set(['403', '429', '9200', '9201']);

/** The answer to a property set or a service call (protocol 7.3). */
export const downlinkReply = decoder({
  name: 'downlink reply (7.3)',
  topics: ['downlink-reply'],
  shape: ({ code, requestId, topic, data, message }) =>
    integerOf(code) !== null && requestId !== undefined && (topic ?? data ?? message) !== undefined,
  body: z.object({
    requestId: z.custom((value) => value !== undefined && value !== null, 'is missing'),
    code: integerText,
    gmtCreate: instant,
    data: anything,
  }),
  toEvents: ({ code, gmtCreate }, message) => {
    const value = pick(message.body, ['requestId', 'code', 'message', 'topic', 'data']);
    return valueFact(message, gmtCreate, value, (at, text) => ({
      kind: 'command-replied',
      device: message.device,
      at,
      requestId: requestIdOf(message.body['requestId']) ?? '',
      byDevice: !PLATFORM_CODES.has(integerOf(code) ?? ''),
      value: text,
    }));
  },
});
