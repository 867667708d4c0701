import { z } from 'zod';
import { decoder, valueFact } from '../decoder.js';
import { pick } from '../json.js';
import { anything, instant } from '../wire-types.js';

const FIELDS = [
  'step',
  'status',
  'srcVersion',
  'destVersion',
  'desc',
  'jobId',
  'taskId',
  'moduleName',
  'moduleVersion',
] as const;

/** A firmware upgrade moved on, or failed on the way: a negative step (protocol 7.15). */
export const upgradeProgress = decoder({
  name: 'OTA progress (7.15)',
  topics: ['upgrade-progress'],
  shape: ({ step, jobId, taskId, destVersion, moduleName }, topic) => {
    const isUpgrade = (jobId ?? taskId ?? destVersion ?? moduleName) !== undefined;
    return isUpgrade && (step !== undefined || (topic.scope === 'platform' && topic.kind === 'upgrade-progress'));
  },
  body: z
    .object({ step: anything, jobId: anything, taskId: anything, destVersion: anything, messageCreateTime: instant })
    .refine(({ step, jobId, taskId, destVersion }) => (step ?? jobId ?? taskId ?? destVersion) !== undefined, {
      path: ['step'],
      message: 'is missing',
    }),
  toEvents: ({ messageCreateTime }, message) =>
    valueFact(message, messageCreateTime, pick(message.body, FIELDS), (at, value) => ({
      kind: 'upgrade-progressed',
      device: message.device,
      at,
      value,
    })),
});
