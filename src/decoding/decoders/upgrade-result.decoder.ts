import { z } from 'zod';
import { decoder, valueFact } from '../decoder.js';
import { pick } from '../json.js';
import { instant } from '../wire-types.js';

const FIELDS = ['status', 'srcVersion', 'destVersion', 'desc', 'jobId', 'taskId', 'moduleName'] as const;

/** A firmware upgrade ended (protocol 7.14). */
export const upgradeResult = decoder({
  name: 'OTA result (7.14)',
  topics: ['upgrade-result'],
  shape: ({ status, jobId, taskId, destVersion, step, packageId }, topic) =>
    typeof status === 'string' &&
    (taskId !== undefined || (jobId !== undefined && destVersion !== undefined)) &&
    step === undefined &&
    packageId === undefined &&
    !(topic.scope === 'platform' && topic.kind === 'upgrade-progress'),
  body: z.object({ status: z.string(), messageCreateTime: instant }),
  toEvents: ({ messageCreateTime }, message) =>
    valueFact(message, messageCreateTime, pick(message.body, FIELDS), (at, value) => ({
      kind: 'upgrade-finished',
      device: message.device,
      at,
      value,
    })),
});
