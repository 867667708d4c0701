import { z } from 'zod';
import { decoder, fact } from '../decoder.js';
import { visibleJson } from '../canonical-json.js';
import { isJsonObject, pick, type Json } from '../json.js';
import { anything, integerOf, jsonObject } from '../wire-types.js';

/** A device went on- or offline, as the Living platform tells it (protocol 7.4). */
export const livingStatus = decoder({
  name: 'device status, Living (7.4)',
  topics: ['status'],
  shape: ({ status }) => isJsonObject(status),
  body: z
    .object({ status: jsonObject, action: anything })
    .refine(({ status, action }) => onlineOf(status['value'], action) !== null, {
      path: ['status', 'value'],
      message: 'must be "1" (online), "0" or "3" (offline)',
    }),
  toEvents: ({ status, action }, message) =>
    fact(message, status['time'], (at) => [
      {
        kind: 'presence-changed',
        device: message.device,
        at,
        online: onlineOf(status['value'], action) === true,
        orderedBy: at,
        reason: null,
        detail: visibleJson(pick(message.body, ['clientIp'])),
      },
    ]),
});

/** The value decides; `action` only where there is none, since a contradiction says that something copied it wrongly. */
function onlineOf(value: Json | undefined, action: unknown): boolean | null {
  const code = integerOf(value);
  if (code === '1') return true;
  if (code === '0' || code === '3') return false;
  return value === undefined && (action === 'online' || action === 'offline') ? action === 'online' : null;
}
