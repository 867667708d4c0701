import { z } from 'zod';
import type { DeviceEvent } from '../../domain/device-event.js';
import { decoder, fact, rejected } from '../decoder.js';
import { isJsonArray } from '../json.js';
import { entryFault, identifier, instant, jsonArray } from '../wire-types.js';

const identityInfo = z.object({
  identityId: identifier.min(1),
  scopeId: identifier.nullish(),
  tenantId: identifier.nullish(),
  owned: z.union([z.literal([0, 1, '0', '1']), z.boolean()]),
});

/** Users came to own or share a device, or ceased to (protocol 7.6): one fact a user. */
export const userBinding = decoder({
  name: 'user binding (7.6)',
  topics: ['user-binding'],
  shape: ({ bind, identityInfos }) => typeof bind === 'boolean' && isJsonArray(identityInfos),
  body: z.object({ bind: z.boolean(), identityInfos: jsonArray, messageCreateTime: instant }),
  toEvents: ({ bind, identityInfos, messageCreateTime }, message) =>
    fact(message, messageCreateTime, (at) =>
      identityInfos.map((entry): DeviceEvent => {
        const info = identityInfo.safeParse(entry);
        if (!info.success) {
          return rejected(message, 'identityInfos', entryFault(entry, info.error), entry, messageCreateTime);
        }
        const { identityId, scopeId, tenantId, owned } = info.data;
        return {
          kind: bind ? 'user-bound' : 'user-unbound',
          device: message.device,
          at,
          user: { identityId, scopeId: scopeId ?? '', tenantId: tenantId ?? '' },
          owned: Number(owned) === 1,
        };
      }),
    ),
});
