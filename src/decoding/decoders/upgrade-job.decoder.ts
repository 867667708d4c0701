import { z } from 'zod';
import type { DeviceEvent } from '../../domain/device-event.js';
import type { Refusal } from '../../domain/raw-message.js';
import { canonicalJson } from '../canonical-json.js';
import { decoder } from '../decoder.js';
import { pick } from '../json.js';
import { instant } from '../wire-types.js';

const FIELDS = ['moduleName', 'packageId', 'jobId', 'status'] as const;

/** A batch of upgrades changed its status (protocol 7.17). It names a product and no device, so nothing of it can be rejected alone. */
export const upgradeJob = decoder({
  name: 'OTA batch status (7.17)',
  topics: ['upgrade-job'],
  subject: 'product',
  shape: ({ packageId, jobId, status, deviceName }) =>
    typeof packageId === 'string' &&
    typeof jobId === 'string' &&
    typeof status === 'string' &&
    deviceName === undefined,
  body: z.object({ packageId: z.string(), jobId: z.string(), status: z.string(), messageCreateTime: instant }),
  toEvents: ({ messageCreateTime }, { device, times, body }): readonly DeviceEvent[] | Refusal => {
    const at = times.of(messageCreateTime);
    if (typeof at === 'string') {
      return { reason: 'invalid-body', detail: `The \`messageCreateTime\` of an OTA batch status is a ${at}.` };
    }
    const value = canonicalJson(pick(body, FIELDS));
    if (typeof value !== 'string') {
      return { reason: 'not-storable', detail: 'A field of an OTA batch status cannot be kept as it was sent.' };
    }
    return [{ kind: 'upgrade-job-changed', productKey: device.productKey, at, value }];
  },
});
