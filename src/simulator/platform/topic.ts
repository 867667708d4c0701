/** The message types that an Enterprise subscription names (protocol 6). */
export const FLAGS = [
  'DeviceDataFlag',
  'DeviceStatusChangeFlag',
  'DeviceLifeCycleFlag',
  'DeviceTopoLifeCycleFlag',
  'FoundDeviceListFlag',
  'ThingHistoryFlag',
  'DeviceTagFlag',
  'OtaEventFlag',
  'OtaVersionFlag',
  'OtaJobFlag',
] as const;
export type Flag = (typeof FLAGS)[number];

/** What a forwarding topic tells (protocol 6). */
export interface TopicFacts {
  readonly productKey: string;
  /** Null where the topic names none, as that of an OTA batch. */
  readonly deviceName: string | null;
  readonly flag: Flag;
}

const REST_OF_TOPIC: readonly (readonly [RegExp, Flag])[] = [
  [/^thing\/lifecycle$/, 'DeviceLifeCycleFlag'],
  [/^thing\/topo\/lifecycle$/, 'DeviceTopoLifeCycleFlag'],
  [/^thing\/list\/found$/, 'FoundDeviceListFlag'],
  [/^thing\/event\/[^/]+\/history\/post$/, 'ThingHistoryFlag'],
  [/^thing\/deviceinfo\/update$/, 'DeviceTagFlag'],
  [/^ota\/(upgrade|progress\/post)$/, 'OtaEventFlag'],
  [/^ota\/version\/post$/, 'OtaVersionFlag'],
];

/** Product, device and subscription flag of a forwarding topic; null for a topic that is none of the platform's. */
export function readTopic(topic: string): TopicFacts | null {
  const status = /^(?:\/as)?\/mqtt\/status\/([^/]+)\/([^/]+)$/.exec(topic);
  if (status) {
    const [, productKey = '', deviceName = ''] = status;
    return { productKey, deviceName, flag: 'DeviceStatusChangeFlag' };
  }
  const match = /^(?:\/sys)?\/([^/]+)\/([^/]+)\/(.+)$/.exec(topic);
  if (!match) return null;
  const [, productKey = '', deviceName = '', rest = ''] = match;
  // Custom topics come first: a device may call them what it likes.
  if (rest.startsWith('user/')) return { productKey, deviceName, flag: 'DeviceDataFlag' };
  if (/^[^/]+\/ota\/job\/status$/.test(rest)) return { productKey, deviceName: null, flag: 'OtaJobFlag' };
  if (rest === 'device/status/notify' || rest === 'mqtt/status') {
    return { productKey, deviceName, flag: 'DeviceStatusChangeFlag' };
  }
  return { productKey, deviceName, flag: REST_OF_TOPIC.find(([form]) => form.test(rest))?.[1] ?? 'DeviceDataFlag' };
}
