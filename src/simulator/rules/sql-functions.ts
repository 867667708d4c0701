import { createHash } from 'node:crypto';
import type { Random } from '../random.js';
import { BadDateFormat, BEIJING, formatDate } from './date-format.js';
import { md2 } from './md2.js';
import { isList, isRecord, SqlFailed, toNumber, toText, type SqlRecord, type SqlValue } from './sql-value.js';

/** The message that a rule looks at. */
export interface RuleMessage {
  readonly id: string;
  readonly topic: string;
  /** Null for a topic that names no device. */
  readonly productKey: string | null;
  readonly deviceName: string | null;
  readonly body: Buffer;
  /** The body as JSON; null when it is none. */
  readonly row: SqlValue;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly random: Random;
  /** The value of a tag of the device; null when it has none. */
  tag(key: string): string | null;
}

/** What a function gives that stands for several fields of the result. */
export class Spread {
  constructor(readonly fields: SqlRecord) {}
}

export interface SqlFunction {
  readonly min: number;
  readonly max: number;
  /** Takes `*`, the whole payload, and works on what is not JSON too. */
  readonly star?: boolean;
  readonly call: (message: RuleMessage, args: readonly SqlValue[]) => SqlValue | Spread;
}

/** A function of numbers: nothing for nothing, and for what it has no value for. */
const numeric = (name: string, count: number, work: (...numbers: number[]) => number, min = count): SqlFunction => ({
  min,
  max: count,
  call: (_message, args) => {
    const numbers: number[] = [];
    for (const arg of args) {
      if (arg === null) return null;
      const number = toNumber(arg);
      if (number === null) throw new SqlFailed(`${name}() takes numbers, not ${shown(arg)}`);
      numbers.push(number);
    }
    const result = work(...numbers);
    return Number.isFinite(result) ? result : null;
  },
});

const textual = (count: number, work: (...texts: string[]) => SqlValue): SqlFunction => ({
  min: count,
  max: count,
  call: (_message, args) => (args.includes(null) ? null : work(...args.map(toText))),
});

const clock = (name: string, zone: string): SqlFunction => ({
  min: 0,
  max: 1,
  call: ({ now }, [format]) => {
    if (format === undefined || format === null) return now;
    try {
      return formatDate(now, toText(format), zone);
    } catch (error) {
      throw error instanceof BadDateFormat ? new SqlFailed(`${name}(): ${error.message}`) : error;
    }
  },
});

const HASHES: Readonly<Record<string, string>> = {
  MD5: 'md5',
  SHA1: 'sha1',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** Functions of the SQL form, as the platform documents them (protocol 11); scripts have them too. */
export const SQL_FUNCTIONS: ReadonlyMap<string, SqlFunction> = new Map(
  Object.entries<SqlFunction>({
    abs: numeric('abs', 1, Math.abs),
    asin: numeric('asin', 1, Math.asin),
    attribute: { min: 1, max: 1, call: (message, [key]) => message.tag(toText(key ?? '')) },
    concat: textual(2, (first, second) => first + second),
    cos: numeric('cos', 1, Math.cos),
    cosh: numeric('cosh', 1, Math.cosh),
    crypto: { min: 2, max: 2, call: (_message, [field, algorithm]) => digest(field ?? null, algorithm ?? null) },
    deviceName: { min: 0, max: 0, call: ({ deviceName }) => deviceName },
    endswith: textual(2, (input, suffix) => input.endsWith(suffix)),
    exp: numeric('exp', 1, Math.exp),
    floor: numeric('floor', 1, Math.floor),
    log: numeric('log', 2, (n, base = 10) => (base === 10 ? Math.log10(n) : Math.log(n) / Math.log(base)), 1),
    lower: textual(1, (text) => text.toLowerCase()),
    messageId: { min: 0, max: 0, call: ({ id }) => id },
    mod: numeric('mod', 2, (n, divisor) => n % divisor),
    nanvl: { min: 2, max: 2, call: (_message, [value, fallback]) => value ?? fallback ?? null },
    newuuid: { min: 0, max: 0, call: ({ random }) => uuid(random) },
    payload: { min: 0, max: 1, call: ({ body }, [encoding]) => decoded(body, encoding ?? 'utf-8') },
    power: numeric('power', 2, Math.pow),
    productKey: { min: 0, max: 0, call: ({ productKey }) => productKey },
    rand: { min: 0, max: 0, call: ({ random }) => random.next() },
    replace: textual(3, (source, part, replacement) => (part === '' ? source : source.split(part).join(replacement))),
    sin: numeric('sin', 1, Math.sin),
    sinh: numeric('sinh', 1, Math.sinh),
    substring: { min: 2, max: 3, call: (_message, args) => substring(args) },
    tan: numeric('tan', 1, Math.tan),
    tanh: numeric('tanh', 1, Math.tanh),
    thingPropertyFlatMap: { min: 0, max: 50, call: ({ row }, names) => new Spread(flatProperties(row, names)) },
    timestamp: clock('timestamp', BEIJING),
    timestamp_utc: clock('timestamp_utc', 'UTC'),
    to_base64: { min: 1, max: 1, star: true, call: ({ body }) => body.toString('base64') },
    to_hex: { min: 1, max: 1, star: true, call: ({ body }) => body.toString('hex') },
    topic: { min: 0, max: 1, call: ({ topic }, [level]) => (level === undefined ? topic : levelOf(topic, level)) },
    upper: textual(1, (text) => text.toUpperCase()),
  }),
);

function digest(field: SqlValue, algorithm: SqlValue): SqlValue {
  if (field === null) return null;
  const name = toText(algorithm).toUpperCase();
  if (name === 'MD2') return md2(Buffer.from(toText(field))).toString('hex');
  const hash = Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
  if (hash === undefined)
    throw new SqlFailed(`crypto() knows MD2, ${Object.keys(HASHES).join(', ')}, not ${shown(algorithm)}`);
  return createHash(hash).update(toText(field)).digest('hex');
}

/** Version 4, from the rule's own chance. */
function uuid(random: Random): string {
  const bytes = Array.from({ length: 16 }, () => random.whole(0, 255));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function decoded(body: Buffer, encoding: SqlValue): string {
  const label = toText(encoding);
  try {
    return new TextDecoder(label, { ignoreBOM: true }).decode(body);
  } catch {
    throw new SqlFailed(`payload() knows no encoding ${shown(encoding)}`);
  }
}

/** The published examples: whole positions, those before the text count as its begin; text and integers only. */
function substring([target = null, from = null, to]: readonly SqlValue[]): SqlValue {
  if (target === null) return null;
  const isText = typeof target === 'string';
  if (!isText && !/^-?\d+$/.test(typeof target === 'boolean' ? '' : toText(target))) {
    throw new SqlFailed(`substring() takes text or an integer, not ${shown(target)}`);
  }
  const text = toText(target);
  const position = (value: SqlValue): number => {
    const number = typeof value === 'boolean' ? null : toNumber(value);
    if (number === null) throw new SqlFailed(`substring() takes numbers as positions, not ${shown(value)}`);
    return Math.max(0, Math.floor(number));
  };
  return text.slice(position(from), to === undefined ? undefined : position(to));
}

/** Properties of a report without the levels `items` and `value`; members of a struct are named `property_member`. */
function flatProperties(row: SqlValue, names: readonly SqlValue[]): SqlRecord {
  const items = isRecord(row) && Object.hasOwn(row, 'items') ? (row.items ?? null) : null;
  const flat: [string, SqlValue][] = [];
  if (!isRecord(items)) return {};
  const wanted = names.length === 0 ? Object.keys(items) : names.map(toText);
  for (const name of wanted) {
    const item = Object.hasOwn(items, name) ? (items[name] ?? null) : null;
    if (!isRecord(item) || !Object.hasOwn(item, 'value')) continue;
    const value = item.value ?? null;
    if (!isRecord(value)) flat.push([name, value]);
    else for (const [member, part] of Object.entries(value)) flat.push([`${name}_${member}`, part]);
  }
  return Object.fromEntries(flat);
}

function levelOf(topic: string, level: SqlValue): SqlValue {
  const number = toNumber(level);
  if (number === null || !Number.isInteger(number)) throw new SqlFailed(`topic() takes a level, not ${shown(level)}`);
  if (number <= 0) return topic;
  return topic.split('/')[number] ?? null;
}

function shown(value: SqlValue): string {
  const text = isList(value) ? 'a list' : isRecord(value) ? 'an object' : (JSON.stringify(toText(value)) ?? '');
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
