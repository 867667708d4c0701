import { z } from 'zod';
import type { DeviceEvent, LifecycleAction } from '../../domain/device-event.js';
import { decoder, fact } from '../decoder.js';
import { attributesOfGroup, isDeviceList, readSubDevices, subDeviceKeys } from '../sub-devices.js';
import { anything, instant } from '../wire-types.js';

const ACTIONS = {
  create: 'create',
  add: 'create',
  delete: 'delete',
  remove: 'delete',
  enable: 'enable',
  disable: 'disable',
} as const satisfies Record<string, LifecycleAction>;

/** Sub-devices were attached to a gateway, detached, enabled or disabled (protocol 7.8): told of the gateway and of each. */
export const topology = decoder({
  name: 'topology change (7.8)',
  topics: ['topology'],
  subject: 'gateway',
  shape: ({ action, devices }) => typeof action === 'string' && isDeviceList(devices),
  others: ({ devices }) => subDeviceKeys(devices),
  body: z.object({
    action: z.enum(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]),
    devices: z.custom(isDeviceList, 'must be an array'),
    gwIotId: anything,
    messageCreateTime: instant,
  }),
  toEvents: ({ action: sentAction, messageCreateTime }, message) => {
    const action = ACTIONS[sentAction];
    const { device: gateway } = message;
    const { subDevices, rejections } = readSubDevices(message);
    return [
      ...attributesOfGroup(message),
      ...fact(message, messageCreateTime, (at): DeviceEvent[] => [
        ...(subDevices.length > 0
          ? [{ kind: 'topology-changed', device: gateway, at, action, subDevices } as const]
          : []),
        ...subDevices.map((device) => ({ kind: 'gateway-changed', device, at, action, gateway }) as const),
      ]),
      ...rejections,
    ];
  },
});
