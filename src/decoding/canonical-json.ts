import type { ValueRejectionReason } from '../domain/device-event.js';
import type { CanonicalJson, Value } from '../domain/value.js';
import { canonicalNumber } from './canonical-number.js';
import { ExactNumber, isJsonArray, isJsonNumber, type Json, type JsonObject } from './json.js';
import { isStorable, visibleShort, visibleText } from './storable-text.js';

/** Why PostgreSQL cannot hold a value. */
export interface NotKept {
  readonly reason: Extract<ValueRejectionReason, 'not-storable' | 'too-long'>;
}

const NOT_STORABLE: NotKept = { reason: 'not-storable' };
const TOO_LONG: NotKept = { reason: 'too-long' };

/** Numbers that cannot be kept as numbers are kept as text of at most this length. */
const NUMBER_TEXT_LIMIT = 1100;

/** What PostgreSQL prints for the value as `jsonb`, or why it cannot hold it. The value nests no deeper than DEPTH_LIMIT. */
export function canonicalJson(value: Json): CanonicalJson | NotKept {
  if (typeof value === 'string') return isStorable(value) ? JSON.stringify(value) : NOT_STORABLE;
  if (isJsonNumber(value)) return canonicalNumber(value) ?? TOO_LONG;
  if (value === null) return 'null';
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (isJsonArray(value)) {
    const parts: string[] = [];
    for (const item of value) {
      const part = canonicalJson(item);
      if (typeof part !== 'string') return part;
      parts.push(part);
    }
    return `[${parts.join(', ')}]`;
  }
  const parts: string[] = [];
  for (const key of sortedKeys(value)) {
    if (!isStorable(key)) return NOT_STORABLE;
    const part = canonicalJson(value[key] as Json);
    if (typeof part !== 'string') return part;
    parts.push(`${JSON.stringify(key)}: ${part}`);
  }
  return `{${parts.join(', ')}}`;
}

/** A reported value as it is kept: a top-level number apart from everything else. */
export function storedValue(value: Json): Value | NotKept {
  const text = canonicalJson(value);
  if (typeof text !== 'string') return text;
  return { kind: isJsonNumber(value) ? 'number' : 'json', text };
}

/** Canonical JSON of any value: what PostgreSQL cannot hold is spelt out as visible text. For rejected values and details. */
export function visibleJson(value: Json): CanonicalJson {
  const exact = canonicalJson(value);
  if (typeof exact === 'string') return exact;
  const text = canonicalJson(visible(value));
  return typeof text === 'string' ? text : 'null'; // never: everything was made visible
}

function visible(value: Json): Json {
  if (typeof value === 'string') return visibleText(value);
  if (value instanceof ExactNumber) {
    return canonicalNumber(value) === null ? visibleShort(value.text, NUMBER_TEXT_LIMIT) : value;
  }
  if (isJsonArray(value)) return value.map(visible);
  if (value === null || typeof value !== 'object') return value;
  const members = new Map<string, Json>();
  for (const key of Object.keys(value).sort(spelledOutLast)) {
    let name = visibleText(key);
    while (members.has(name)) name += '_'; // a NUL beside its own spelling: keep both
    members.set(name, visible(value[key] as Json));
  }
  return Object.fromEntries(members);
}

/** So that names which meet are told apart the same way, in whatever order they were sent. */
function spelledOutLast(a: string, b: string): number {
  return Number(isStorable(b)) - Number(isStorable(a)) || (a < b ? -1 : 1);
}

/** Keys as jsonb orders them: by length in bytes, then by bytes. */
function sortedKeys(value: JsonObject): string[] {
  const keys = Object.keys(value);
  return keys.length < 2 ? keys : keys.sort(compareKeys);
}

function compareKeys(a: string, b: string): number {
  if (isAscii(a) && isAscii(b)) return a.length - b.length || (a < b ? -1 : 1);
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length - right.length || Buffer.compare(left, right);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}
