import { LosslessNumber } from 'lossless-json';
import type { Publication } from '../../platform/platform-message.js';
import { isObject, markedBy, readBody, shiftDeviceTimes, withBody, type Body } from '../edit-body.js';
import { defineFault, type FaultContext } from '../fault.js';
import { share, some } from '../parameters.js';

/** A message that comes by, read once for whatever is made of it. */
interface Odd {
  readonly publication: Publication;
  /** A copy of its own to change. */
  readonly body: () => Body | null;
  readonly context: FaultContext;
}

/** What goes on in its place, and what is sent after it; null where the oddity does not fit this message. */
interface Oddly {
  readonly instead?: Publication;
  readonly then?: readonly Publication[];
}

const anew = (publication: Publication): Publication => ({ ...publication, messageId: undefined });
const isReport = ({ topic }: Publication): boolean => (topic ?? '').endsWith('/thing/event/property/post');

/** Changes a field that the body has, or says that there is none. */
function changed({ publication, body, context }: Odd, name: string, value: (former: unknown) => unknown): Oddly | null {
  const fields = body();
  if (!fields || !Object.hasOwn(fields, name)) return null;
  fields[name] = value(fields[name]);
  return { instead: withBody(publication, fields, context.id) };
}

/** What the platform was seen to do, or may do by its documentation (protocol 3, 7, 13): odd, but to be understood. */
const ODDITIES = {
  'request-id-number': (odd) =>
    changed(odd, 'requestId', (id) => (/^[1-9]\d{0,18}$/.test(String(id)) ? new LosslessNumber(String(id)) : id)),
  'request-id-text': (odd) => changed(odd, 'requestId', String),
  'request-id-null': (odd) => changed(odd, 'requestId', () => 'null'),
  'empty-iot-id': (odd) => changed(odd, 'iotId', () => ''),
  /** 7.1: all values failed validation. A further message, since these values are lost. */
  'empty-items': ({ publication, body, context }) => {
    const fields = body();
    if (!fields || !isReport(publication) || !isObject(fields.items)) return null;
    const failures = Object.entries(fields.items).flatMap(([identifier, item]) =>
      isObject(item)
        ? [
            [
              identifier,
              {
                code: new LosslessNumber('6306'),
                message: `tsl parse: data type is not int -> ${identifier}`,
                time: item.time,
                value: '--',
              },
            ],
          ]
        : [],
    );
    const failed = { ...fields, items: {}, checkFailedData: Object.fromEntries(failures) as Body };
    return { then: [anew(withBody(publication, failed, context.id))] };
  },
  /** 13: offline, online and offline again within moments, delivered as online, offline, offline. */
  'status-trio': ({ publication, body, context: { id, now } }) => {
    const fields = body();
    if (!fields || !(publication.topic ?? '').startsWith('/as/mqtt/status/')) return null;
    const at = now();
    const told = (status: string, lastAt: number, noticedAt: number): Publication =>
      anew(withBody(publication, { ...fields, status, ...times(noticedAt, lastAt) }, id));
    return {
      then: [told('online', at + 200, at + 202), told('offline', at, at + 203), told('offline', at + 400, at + 400)],
    };
  },
  /** 7.12: true, but not the present. */
  history: ({ publication, body, context: { id, random } }) => {
    const fields = body();
    if (!fields || !isReport(publication) || !Object.hasOwn(fields, 'requestId')) return null;
    if (shiftDeviceTimes(fields, -random.whole(60_000, 6 * 3_600_000)) === 0) return null;
    const topic = (publication.topic ?? '').replace(/post$/, 'history/post');
    return { then: [anew({ ...withBody(publication, fields, id), topic })] };
  },
  'generate-time-text': ({ publication, context }) =>
    publication.generateTime === null || publication.generateTime === undefined
      ? null
      : { instead: markedBy({ ...publication, generateTime: String(publication.generateTime) }, context.id) },
  'no-generate-time': ({ publication, context }) => ({
    instead: markedBy({ ...publication, generateTime: null }, context.id),
  }),
  'several-sections': ({ publication, context }) => ({
    instead: markedBy({ ...publication, bodyForm: 'several-data' }, context.id),
  }),
  'text-body': ({ publication, body, context }) =>
    body() ? { instead: markedBy({ ...publication, bodyForm: 'value-string' }, context.id) } : null,
  /** 6: older material puts /sys before the topic. */
  'sys-topic': ({ publication, context }) =>
    /^\/[^/]+\/[^/]+\/thing\//.test(publication.topic ?? '')
      ? { instead: markedBy({ ...publication, topic: `/sys${publication.topic ?? ''}` }, context.id) }
      : null,
  /** Key order varies, inside items too. */
  'key-order': ({ publication, body, context }) => {
    const fields = body();
    if (!fields) return null;
    const reversed = (value: unknown): unknown =>
      isObject(value)
        ? Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([name, part]) => [name, reversed(part)]),
          )
        : value;
    return { instead: withBody(publication, reversed(fields) as Body, context.id) };
  },
} as const satisfies Record<string, (odd: Odd) => Oddly | null>;

type OddityName = keyof typeof ODDITIES;
const NAMES = Object.keys(ODDITIES) as OddityName[];

/** The four times of 7.5. Local time of the mainland region is UTC+8. */
function times(noticedAt: number, lastAt: number): Body {
  const local = (at: number): string => new Date(at + 8 * 3_600_000).toISOString().replace('T', ' ').replace('Z', '');
  const utc = (at: number): string => new Date(at).toISOString();
  return { time: local(noticedAt), utcTime: utc(noticedAt), lastTime: local(lastAt), utcLastTime: utc(lastAt) };
}

export const oddities = defineFault({
  name: 'oddities',
  meaning:
    'what the platform was seen to do: odd request ids, empty items and ids, the status trio, other body sections',
  course: 'lasting',
  parameters: {
    share: share(0.2, 'of all messages, how many are odd in one of the ways that fit them'),
    kinds: some(NAMES, 'which ways'),
  },
  begin: ({ share: part, kinds }, context) => {
    const { random, passOn, add, did } = context;
    return {
      pass: (publication) => {
        if (!random.chance(part)) return passOn(publication);
        const odd: Odd = { publication, body: () => readBody(publication), context };
        for (const kind of random.shuffled(kinds)) {
          const made: Oddly | null = ODDITIES[kind](odd);
          if (!made) continue;
          did(kind, 1, () => ({ topic: publication.topic ?? '' }));
          passOn(made.instead ?? publication);
          made.then?.forEach(add);
          return;
        }
        passOn(publication);
      },
    };
  },
});
