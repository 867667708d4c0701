import { z } from 'zod';
import { decoder, fact } from '../decoder.js';
import { attributesOfGroup, isDeviceList, readSubDevices, subDeviceKeys } from '../sub-devices.js';
import { instant } from '../wire-types.js';

/** A gateway found devices near it (protocol 7.9). The body has no time, so generateTime counts. */
export const subDevicesFound = decoder({
  name: 'sub-device found (7.9)',
  topics: ['sub-devices-found'],
  subject: 'gateway',
  shape: ({ action, devices }) => action === undefined && isDeviceList(devices),
  others: ({ devices }) => subDeviceKeys(devices),
  body: z.object({ devices: z.custom(isDeviceList, 'must be an array'), messageCreateTime: instant }),
  toEvents: ({ messageCreateTime }, message) => {
    const { subDevices, rejections } = readSubDevices(message);
    return [
      ...attributesOfGroup(message),
      ...fact(message, messageCreateTime, (at) =>
        subDevices.length > 0 ? [{ kind: 'sub-devices-found', device: message.device, at, subDevices }] : [],
      ),
      ...rejections,
    ];
  },
});
