import { readTopic } from '../../platform/topic.js';
import type { Random } from '../../random.js';
import { defineFault } from '../fault.js';
import { share } from '../parameters.js';

type Device = { readonly productKey: string; readonly deviceName: string };

/** Topics of newer instances whose format nobody has, of device-to-cloud traffic that is never forwarded, and nonsense. */
const TOPICS: readonly ((device: Device, random: Random) => string)[] = [
  ({ productKey, deviceName }) => `/${productKey}/${deviceName}/thing/event/property/post/v2`,
  ({ productKey, deviceName }) => `/${productKey}/${deviceName}/thing/task/notify`,
  ({ productKey, deviceName }) => `/${productKey}/${deviceName}/thing/twin/property/changed`,
  ({ productKey, deviceName }) => `/sys/${productKey}/${deviceName}/_thing/service/post`,
  ({ productKey, deviceName }) => `/shadow/update/${productKey}/${deviceName}`,
  ({ productKey, deviceName }) => `/ext/ntp/${productKey}/${deviceName}/response`,
  ({ productKey }) => `/as/mqtt/status/${productKey}`,
  (_, random) => `/as/mqtt/presence/${random.text(11)}/${random.text(6)}`,
  (_, random) => `no/such/topic/${random.text(8)}`,
  ({ productKey, deviceName }) => `/${productKey}//${deviceName}///thing/event//post`,
  () => '/',
  () => '',
  ({ productKey, deviceName }) => `/${productKey}/${deviceName}/thing/event/${'x'.repeat(2_000)}/post`,
  (_, random) => `/${random.text(6)}/\u0000${random.text(6)}/thing/lifecycle`,
];

export const unknownTopics = defineFault({
  name: 'unknown-topics',
  meaning: 'puts messages under topics that nobody knows between the others, with the bodies of good ones',
  course: 'lasting',
  parameters: { share: share(0.05, 'after how many of all messages one is added') },
  begin: ({ share: part }, { random, passOn, add, did }) => ({
    pass: (publication) => {
      passOn(publication);
      if (!random.chance(part)) return;
      const facts = readTopic(publication.topic ?? '');
      const device = { productKey: facts?.productKey ?? 'a1Nobody000', deviceName: facts?.deviceName ?? 'nobody' };
      const topic = random.pick(TOPICS)(device, random);
      did('added', 1, () => ({ topic: topic.slice(0, 128) }));
      add({ ...publication, topic, messageId: undefined });
    },
  }),
});
