import { z } from 'zod';
import type { DeviceEvent } from '../../domain/device-event.js';
import { decoder, fact, rejected } from '../decoder.js';
import { visibleJson } from '../canonical-json.js';
import { pick, type Json } from '../json.js';
import { anything, instant, integerOf } from '../wire-types.js';

/** What a status message says beside the fact; the local times are there because no field names their zone. */
const DETAILS = ['clientIp', 'protocol', 'time', 'lastTime', 'utcLastTime'] as const;

/** A device went on- or offline, as the Enterprise platform tells it, with its gateway and reduced variants (protocol 7.5). */
export const enterpriseStatus = decoder({
  name: 'device status, Enterprise (7.5)',
  topics: ['status'],
  shape: ({ status, utcTime }, topic) =>
    (status === 'online' || status === 'offline') &&
    (utcTime !== undefined || (topic.scope === 'platform' && topic.kind === 'status')),
  body: z.object({
    status: z.enum(['online', 'offline']),
    utcTime: instant,
    utcLastTime: instant,
    protocol: anything,
    offlineReasonCode: anything,
  }),
  toEvents: ({ status, utcTime, utcLastTime, protocol, offlineReasonCode }, message) =>
    fact(message, utcTime, (at): DeviceEvent[] => {
      // behind a protocol gateway, the last packet's time means nothing
      const meansLastTime = (protocol ?? '') === '' && (utcLastTime ?? null) !== null;
      const lastAt = meansLastTime ? message.times.of(utcLastTime) : at;
      const presence: DeviceEvent = {
        kind: 'presence-changed',
        device: message.device,
        at,
        online: status === 'online',
        orderedBy: lastAt instanceof Date ? lastAt : at,
        reason: reasonOf(offlineReasonCode),
        detail: visibleJson(pick(message.body, DETAILS)),
      };
      if (lastAt instanceof Date) return [presence];
      return [presence, rejected(message, 'utcLastTime', lastAt, utcLastTime ?? null)];
    }),
});

function reasonOf(code: Json | undefined): number | null {
  const number = Number(integerOf(code) ?? NaN);
  return Number.isInteger(number) && Math.abs(number) < 2 ** 31 ? number : null;
}
