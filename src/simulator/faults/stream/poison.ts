import { stringify } from 'lossless-json';
import type { Publication } from '../../platform/platform-message.js';
import type { Random } from '../../random.js';
import { readBody } from '../edit-body.js';
import { defineFault } from '../fault.js';
import { count, share, some } from '../parameters.js';

/** A good message to spoil a copy of. */
interface Victim {
  readonly topic: string | null;
  readonly bytes: Buffer;
  /** The body where it is a JSON object; otherwise one that could be. */
  readonly text: string;
  readonly random: Random;
  readonly bytesOfLarge: number;
}

type Spoiled = Pick<Publication, 'topic' | 'body'> & Partial<Publication>;

/** The object's text with more members at its end; a parser that takes the last of equal names takes these. */
const withMembers = ({ text }: Victim, members: string): string => `${text.slice(0, -1)},${members}}`;

/** Bytes put into the middle of the first string value, where a parser does not look at them as JSON. */
function inString({ text }: Victim, bytes: readonly number[]): Buffer {
  const match = /:\s*"/.exec(text);
  const at = match ? Buffer.byteLength(text.slice(0, match.index + match[0].length)) : 1;
  const whole = Buffer.from(text);
  return Buffer.concat([whole.subarray(0, at), Buffer.from(bytes), whole.subarray(at)]);
}

const LISTS = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
const OBJECTS = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;

/** What a body can be that no decoder likes. Each makes a message of its own; the good one it came by stays as it is. */
const POISONS = {
  'cut-json': ({ topic, bytes, random }) => ({ topic, body: bytes.subarray(0, random.whole(0, bytes.length - 1)) }),
  empty: ({ topic, random }) => ({ topic, body: random.pick(['', ' ', '\n', '\ufeff']) }),
  array: ({ topic, text, random }) => ({
    topic,
    body: random.pick(['[]', '[1,2,3]', `[${text}]`, `[${text},${text}]`]),
  }),
  scalar: ({ topic, random }) => ({ topic, body: random.pick(['null', 'true', '0', '"offline"', '""', 'NaN']) }),
  nesting: (victim) => ({
    topic: victim.topic,
    body: victim.random.pick([
      LISTS,
      OBJECTS,
      withMembers(victim, `"items":{"Deep":{"value":${LISTS},"time":1700000000000}}`),
    ]),
  }),
  nul: (victim) => ({
    topic: victim.topic,
    body: victim.random.pick<string | Buffer>([
      withMembers(victim, '"deviceName":"nul\\u0000name"'),
      withMembers(victim, '"items":{"a\\u0000b":{"value":"x\\u0000y","time":1700000000000}}'),
      inString(victim, [0]),
      `${victim.text}\0`,
    ]),
  }),
  'invalid-utf8': (victim) => ({
    topic: victim.topic,
    body: inString(
      victim,
      victim.random.pick([
        [0xc3, 0x28],
        [0xff],
        [0xf0, 0x28, 0x8c, 0xbc],
        [0xc0, 0x80],
        [0xed, 0xa0, 0x80],
        [0xe4, 0xb8],
      ]),
    ),
  }),
  surrogate: (victim) => ({ topic: victim.topic, body: withMembers(victim, '"deviceName":"half \\ud83d of one"') }),
  'huge-numbers': (victim) => {
    const number = victim.random.pick([
      '1e400',
      '-1e400',
      '1e-400',
      '9'.repeat(400),
      `0.${'1'.repeat(400)}`,
      '-0',
      '1E+999999',
    ]);
    const members = victim.random.pick([
      `"items":{"Huge":{"value":${number},"time":1700000000000}}`,
      `"items":{"Huge":{"value":1,"time":${number}}}`,
      `"time":${number},"gmtCreate":${number},"messageCreateTime":${number}`,
    ]);
    return { topic: victim.topic, body: withMembers(victim, members) };
  },
  'duplicate-keys': (victim) => ({
    topic: victim.topic,
    body: withMembers(
      victim,
      victim.random.pick([
        '"productKey":"a1Twice0000","deviceName":"twice"',
        '"items":{},"items":{"Twice":{"value":1,"value":2,"time":1700000000000,"time":1600000000000}}',
        '"status":"online","status":"offline"',
      ]),
    ),
  }),
  'wrong-types': (victim) => ({
    topic: victim.topic,
    body: withMembers(
      victim,
      victim.random.pick([
        '"items":[{"value":1}],"payload":7,"value":"none"',
        '"items":{"A":1,"B":null,"C":{"value":1,"time":"soon"},"D":{"time":1700000000000}}',
        '"deviceName":7,"productKey":{}',
        '"status":{"value":7,"time":"soon"},"action":[]',
        '"time":"yesterday","utcTime":"2023-13-32T25:61:61.000Z","utcLastTime":0,"gmtCreate":null,"messageCreateTime":true',
        '"devices":{},"identityInfos":"all","bind":"yes"',
      ]),
    ),
  }),
  prototype: (victim) => ({
    topic: victim.topic,
    body: withMembers(
      victim,
      '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"items":{"__proto__":{"value":1,"time":1700000000000},"hasOwnProperty":{"value":2,"time":1700000000000}}',
    ),
  }),
  large: (victim) => ({
    topic: victim.topic,
    body: withMembers(victim, `"items":{"Large":{"value":"${'x'.repeat(victim.bytesOfLarge)}","time":1700000000000}}`),
  }),
  binary: ({ topic, random }) => ({ topic, body: Uint8Array.from({ length: 64 }, () => random.whole(0, 255)) }),
  nameless: () => ({ topic: null, body: '{}', messageId: null, generateTime: null }),
} as const satisfies Record<string, (victim: Victim) => Spoiled>;

type PoisonName = keyof typeof POISONS;
const NAMES = Object.keys(POISONS) as PoisonName[];

export const poison = defineFault({
  name: 'poison',
  meaning: 'puts bodies that no decoder likes between the good messages, under the topics of these',
  course: 'lasting',
  parameters: {
    share: share(0.02, 'after how many of all messages one is added'),
    kinds: some(NAMES, 'which ones'),
    bytes: count(262_145, 1, 8_388_608, 'length of the value in a large one; devices can publish 256 KB (protocol 9)'),
  },
  begin: ({ share: part, kinds, bytes: bytesOfLarge }, { random, passOn, add, did }) => {
    // Each kind comes before any comes twice.
    let bag: PoisonName[] = [];
    return {
      pass: (publication) => {
        passOn(publication);
        if (!random.chance(part)) return;
        if (bag.length === 0) bag = random.shuffled(kinds);
        const kind = bag.pop()!;
        const { topic, tenant, body } = publication;
        const good = readBody(publication) ?? { productKey: 'a1Nobody000', deviceName: 'nobody' };
        const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body);
        const victim = { topic, bytes, text: stringify(good) ?? '{}', random, bytesOfLarge };
        did(kind, 1, () => ({ topic: topic ?? '' }));
        add({ tenant: tenant ?? null, ...POISONS[kind](victim) });
      },
    };
  },
});
