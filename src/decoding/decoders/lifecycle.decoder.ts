import { z } from 'zod';
import { decoder, fact } from '../decoder.js';
import { instant } from '../wire-types.js';

const ACTIONS = ['create', 'delete', 'enable', 'disable'] as const;

/** A device was created, deleted, enabled or disabled on the platform (protocol 7.7). */
export const lifecycle = decoder({
  name: 'life cycle (7.7)',
  topics: ['lifecycle'],
  shape: ({ action, status, devices, gwProductKey }) =>
    ACTIONS.some((known) => known === action) &&
    status === undefined &&
    devices === undefined &&
    gwProductKey === undefined,
  body: z.object({ action: z.enum(ACTIONS), messageCreateTime: instant }),
  toEvents: ({ action, messageCreateTime }, message) =>
    fact(message, messageCreateTime, (at) => [{ kind: 'lifecycle-changed', device: message.device, at, action }]),
});
