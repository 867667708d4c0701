import { LosslessNumber } from 'lossless-json';
import type { Random } from '../../random.js';
import { isObject, readBody, withBody, type Body } from '../edit-body.js';
import { defineFault } from '../fault.js';
import { count, share } from '../parameters.js';

/** Fields that sibling channels of the platform have, and some that nobody has heard of. Parsers must ignore them (7.1). */
const FIELDS: readonly (readonly [name: string, value: (random: Random) => unknown])[] = [
  ['_traceId', (random) => random.text(32)],
  ['_tenantId', (random) => random.text(16)],
  ['tenantId', (random) => random.text(32).toUpperCase()],
  ['tenantInstanceId', (random) => `iot-${random.text(8)}`],
  ['categoryKey', (random) => random.text(10)],
  ['_categoryKey', () => null],
  ['batchId', (random) => random.text(32)],
  ['checkLevel', (random) => new LosslessNumber(String(random.whole(0, 2)))],
  ['namespace', () => ''],
  ['thingType', () => 'DEVICE'],
  ['groupId', () => ''],
  ['groupIdList', (random) => [random.text(16), random.text(16)]],
  ['generateTime', () => new LosslessNumber('1700000000000')],
  ['qos', () => new LosslessNumber('1')],
  ['新字段', (random) => ({ 版本: new LosslessNumber('2.50'), note: random.text(5), list: [[], {}, null] })],
  ['x-long-number', (random) => new LosslessNumber(`9${random.whole(10_000_000, 99_999_999)}00719925474099`)],
  ['', () => 'a field without a name'],
  ['toString', () => 'a name that objects have already'],
];

export const unknownFields = defineFault({
  name: 'unknown-fields',
  meaning: 'adds fields that nobody expects to good bodies, also inside their items',
  course: 'lasting',
  parameters: {
    share: share(0.5, 'of all messages with a JSON object, how many get some'),
    fields: count(3, 1, FIELDS.length, 'how many fields each of them gets'),
  },
  begin: ({ share: part, fields }, { id, random, passOn, did }) => {
    const addTo = (body: Body): number => {
      let added = 0;
      for (const [name, value] of random.shuffled(FIELDS).slice(0, fields)) {
        if (Object.hasOwn(body, name)) continue;
        body[name] = value(random);
        added++;
      }
      return added;
    };
    return {
      pass: (publication) => {
        const body = random.chance(part) ? readBody(publication) : null;
        if (!body) return passOn(publication);
        let added = addTo(body);
        const items = isObject(body.items) ? Object.values(body.items).filter(isObject) : [];
        if (items.length > 0) added += addTo(random.pick(items));
        did('added fields', added, () => ({ topic: publication.topic ?? '' }));
        passOn(withBody(publication, body, id));
      },
    };
  },
});
