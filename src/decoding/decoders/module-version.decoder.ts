import { z } from 'zod';
import { decoder, valueFact } from '../decoder.js';
import { pick } from '../json.js';
import { instant } from '../wire-types.js';

/** A device reported another version of one of its modules (protocol 7.16). */
export const moduleVersion = decoder({
  name: 'OTA module version (7.16)',
  topics: ['module-version'],
  shape: ({ moduleVersion: version, step }) => typeof version === 'string' && step === undefined,
  body: z.object({ moduleVersion: z.string(), messageCreateTime: instant }),
  toEvents: ({ messageCreateTime }, message) =>
    valueFact(message, messageCreateTime, pick(message.body, ['moduleName', 'moduleVersion']), (at, value) => ({
      kind: 'version-reported',
      device: message.device,
      at,
      value,
    })),
});
