import { isLosslessNumber, LosslessNumber } from 'lossless-json';
import { toJson, type Json } from '../devices/json.js';
import { formatDate, parseDate } from './date-format.js';
import { ScriptFailed, type HostFunction, type Sandbox, type Script, type ScriptValue } from './sandbox.js';
import { Spread, SQL_FUNCTIONS, type RuleMessage } from './sql-functions.js';
import { isList, isRecord, type SqlValue } from './sql-value.js';

/** How often a script may write in one run (protocol 11). */
const MAX_WRITES = 100;

/** What a script wrote, in its order. */
export type Write =
  | {
      readonly kind: 'amqp';
      readonly destination: number;
      readonly body: string | Uint8Array;
      readonly tag: string | null;
    }
  | {
      readonly kind: 'topic';
      readonly destination: number;
      readonly topic: string;
      readonly body: string | Uint8Array;
    };

/** What came of one run. Writes before a failure count. */
export interface ScriptRun {
  readonly writes: readonly Write[];
  readonly failure: ScriptFailed | null;
}

/** Destinations of a parser by their ids, as far as a script must know them. */
export type Destinations = ReadonlyMap<number, 'amqp' | 'topic'>;

/**
 * Functions of the platform that need nothing but their arguments, and what each run starts from. Names that a script
 * leaves in the global object are gone after the run: nothing passes from message to message.
 */
const PRELUDE = `
(function () {
  'use strict';
  const { parse, stringify } = JSON, keys = Reflect.ownKeys, remove = Reflect.deleteProperty;
  let run = null;
  const isBinary = (value) => value instanceof Uint8Array;
  const utf8 = (text) => Uint8Array.from(unescape(encodeURIComponent(text)), (character) => character.charCodeAt(0));
  const fromUtf8 = (bytes) => {
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    try { return decodeURIComponent(escape(text)); } catch (error) { return text; }
  };
  const ours = {
    payload(encoding) {
      if (encoding === 'json') {
        if (run.json === null) throw new TypeError('the payload is no JSON');
        return run.json;
      }
      return encoding === 'binary' ? $binary() : $payload(encoding === undefined ? 'utf-8' : encoding);
    },
    deviceName: () => run.deviceName,
    productKey: () => run.productKey,
    messageId: () => run.id,
    getOrNull(value, ...path) {
      for (const step of path) {
        if (value === null || value === undefined || !Object.hasOwn(Object(value), step)) return null;
        value = value[step];
      }
      return value === undefined ? null : value;
    },
    toBoolean(value) {
      return typeof value === 'string' ? value === 'true' : Boolean(value);
    },
    toNumber(value) {
      if (value === null || value === undefined) return 0;
      const number = Number(value);
      if (Number.isNaN(number)) throw new TypeError('toNumber: ' + String(value).slice(0, 60) + ' is no number');
      return number;
    },
    toString(value) {
      if (value === null || value === undefined) return '';
      if (isBinary(value)) return fromUtf8(value);
      return typeof value === 'object' ? stringify(value, (key, part) => (typeof part === 'bigint' ? Number(part) : part)) : String(value);
    },
    toMap(value) {
      if (value === null || value === undefined) return {};
      const map = typeof value === 'string' ? parse(value) : value;
      if (typeof map !== 'object' || map === null || Array.isArray(map) || isBinary(map)) throw new TypeError('toMap: this is no map');
      return map;
    },
    toArray(value) {
      if (value === null || value === undefined) return [];
      const list = typeof value === 'string' ? parse(value) : value;
      if (!Array.isArray(list)) throw new TypeError('toArray: this is no array');
      return list;
    },
    toBinary(value) {
      if (value === null || value === undefined) return new Uint8Array(0);
      return isBinary(value) ? value : utf8(ours.toString(value));
    },
  };
  for (const name of keys(ours)) Object.defineProperty(globalThis, name, { value: ours[name] });
  let known = null;
  globalThis.$start = (given) => {
    known = known || new Set(keys(globalThis));
    run = given;
    try {
      $script();
    } finally {
      for (const name of keys(globalThis)) if (!known.has(name)) remove(globalThis, name);
    }
  };
})();
`;

/** The script of a parser (云产品流转): runs for each message of its topics. */
export class ParserScript {
  private readonly script: Script;
  private message: RuleMessage | null = null;
  private writes: Write[] = [];

  /** Throws `ScriptFailed` when the source is too long or does not compile. `file` is shown in errors. */
  constructor(
    sandbox: Sandbox,
    file: string,
    source: string,
    private readonly destinations: Destinations,
  ) {
    // On the first line, so that lines count as in the file.
    this.script = sandbox.load(file, `function $script() {${source}\n}`, {
      prelude: PRELUDE,
      functions: this.functions(),
      sourceBytes: 120 * 1_024 + 22,
    });
  }

  /** Never throws. `seed` is of the script's chance. */
  run(message: RuleMessage, seed: number): ScriptRun {
    this.message = message;
    this.writes = [];
    let failure: ScriptFailed | null = null;
    try {
      const { row, now, id, deviceName, productKey } = message;
      const json = row === null ? null : toScript(row);
      this.script.call('$start', [{ json, id, deviceName, productKey }], { now, seed });
    } catch (error) {
      failure = error instanceof ScriptFailed ? error : this.script.failed(String(error));
    }
    const { writes } = this;
    this.message = null;
    this.writes = [];
    return { writes, failure };
  }

  private functions(): Record<string, HostFunction> {
    const writeAmqp: HostFunction = (id, data, tag) => {
      const destination = this.destination('writeAmqp', id, 'amqp');
      this.writes.push({ kind: 'amqp', destination, body: bodyOf(data), tag: absent(tag) ? null : text(tag) });
    };
    const functions: Record<string, HostFunction> = {
      $binary: () => new Uint8Array(this.message?.body ?? []),
      format_date: (at, pattern, zone) =>
        formatDate(number(at), text(pattern), zone === undefined ? undefined : text(zone)),
      to_timestamp: (date, pattern, zone) =>
        parseDate(text(date), text(pattern), zone === undefined ? undefined : text(zone)),
      writeAmqp,
      // Its spelling in some of the platform's examples.
      writeAMQP: writeAmqp,
      writeIotTopic: (id, topic, data) => {
        const destination = this.destination('writeIotTopic', id, 'topic');
        this.writes.push({ kind: 'topic', destination, topic: text(topic), body: bodyOf(data) });
      },
    };
    for (const [name, { min, max, star, call }] of SQL_FUNCTIONS) {
      // Asked for in nearly every run, so that each begins with them.
      if (['deviceName', 'productKey', 'messageId'].includes(name)) continue;
      functions[name === 'payload' ? '$payload' : name] = (...args) => {
        if (!this.message) throw new Error(`${name}() works only while a message is looked at`);
        if (star) return encoded(name, args[0], this.message.body);
        if (args.length < min || args.length > max) throw new TypeError(`${name}() takes ${min} to ${max} arguments`);
        const result = call(this.message, args.map(fromScript));
        return toScript(result instanceof Spread ? result.fields : result);
      };
    }
    return functions;
  }

  /** Checks what a write function was given first, and how often one was called. */
  private destination(name: string, id: ScriptValue, kind: 'amqp' | 'topic'): number {
    if (this.writes.length >= MAX_WRITES) throw new RangeError(`more than ${MAX_WRITES} writes in one run`);
    const destination = Number(id);
    const known = this.destinations.get(destination);
    if (known === kind) return destination;
    throw new TypeError(
      known === undefined
        ? `${name}: the parser has no destination ${text(id)}`
        : `${name}: destination ${text(id)} is ${known === 'amqp' ? 'a consumer group' : 'a topic'}`,
    );
  }
}

/** A body as bytes or text: maps and lists as JSON, text and bytes as they are. */
function bodyOf(data: ScriptValue): string | Uint8Array {
  if (data instanceof Uint8Array || typeof data === 'string') return data;
  return toJson((data ?? null) as Json);
}

/** `to_base64` and `to_hex` of what is given, or of the payload. */
function encoded(name: string, value: ScriptValue, body: Buffer): string {
  const bytes =
    value === undefined ? body : value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(text(value));
  return bytes.toString(name === 'to_hex' ? 'hex' : 'base64');
}

const absent = (value: ScriptValue): boolean => value === undefined || value === null;

function number(value: ScriptValue): number {
  return typeof value === 'bigint' || typeof value === 'string'
    ? Number(value)
    : typeof value === 'number'
      ? value
      : Number.NaN;
}

function text(value: ScriptValue): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? toJson(value as Json) : String(value);
}

/** Integers beyond doubles are bigints in a script, so that they arrive as they came when it only passes them on. */
function toScript(value: SqlValue): ScriptValue {
  if (isLosslessNumber(value)) return /^-?\d+$/.test(value.value) ? BigInt(value.value) : Number(value.value);
  if (isList(value)) return value.map(toScript);
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toScript(item)]));
  return value;
}

function fromScript(value: ScriptValue): SqlValue {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return new LosslessNumber(value.toString());
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (Array.isArray(value)) return (value as readonly ScriptValue[]).map(fromScript);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromScript(item)]));
  }
  return value;
}
