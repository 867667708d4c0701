import { isInteger, parse } from 'lossless-json';
import { Digits, type Json } from '../devices/json.js';

// Alink JSON, the language between devices and platform: a request carries an id, and its reply the same id.

/** What a device sends. */
export interface AlinkRequest {
  /** Null when it sent none. */
  readonly id: string | null;
  readonly params: Json | undefined;
  /** Whether it wants an answer: yes, unless it says `"sys": { "ack": 0 }`. */
  readonly ack: boolean;
}

/** What a device answers to a command. */
export interface AlinkReply {
  readonly id: string | null;
  readonly code: number | null;
  readonly message: string | null;
  readonly data: Readonly<Record<string, Json>>;
}

/** Result codes, with the words that the platform sends. */
export const ALINK = {
  success: [200, 'success'],
  parameterError: [460, 'request parameter error'],
  systemError: [500, 'unknown system error'],
  tooManyProperties: [6_106, 'map size must less than 200'],
} as const;

/** Words of the answer to a request. */
export type Result = readonly [code: number, message: string];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** JSON of a device. Numbers keep their digits; of a key given twice the last counts. Undefined when it is none. */
export function parseJson(payload: Uint8Array): Json | undefined {
  try {
    const options = { parseNumber, onDuplicateKey: ({ newValue }: { newValue: unknown }) => newValue };
    return parse(utf8.decode(payload), null, options) as Json;
  } catch {
    return undefined; // no UTF-8, no JSON, or nested beyond reason
  }
}

function parseNumber(text: string): number | bigint | Digits {
  const value = Number(text);
  if (isInteger(text) && !Number.isSafeInteger(value)) return BigInt(text);
  return String(value) === text ? value : new Digits(text);
}

/** The same value with numbers to reckon with in place of exact digits. */
export function plainJson(value: Json): Json {
  if (value instanceof Digits) return Number(value.text);
  if (isList(value)) return value.map(plainJson);
  return isFields(value) ? plainFields(value) : value;
}

export const plainFields = (fields: Readonly<Record<string, Json>>): Readonly<Record<string, Json>> =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plainJson(value)]));

/** Null when it is no JSON object. */
export function readRequest(body: Json | undefined): AlinkRequest | null {
  if (!isFields(body)) return null;
  const { sys } = body;
  return {
    id: idOf(body.id),
    params: body.params,
    ack: !(isFields(sys) && Number(plainJson(sys.ack ?? 1)) === 0),
  };
}

/** Null when it is no JSON object. */
export function readReply(body: Json | undefined): AlinkReply | null {
  if (!isFields(body)) return null;
  const { message, data } = body;
  const code = plainJson(body.code ?? null);
  const number = typeof code === 'string' && /^-?\d{1,9}$/.test(code) ? Number(code) : code;
  return {
    id: idOf(body.id),
    code: typeof number === 'number' && Number.isInteger(number) ? number : null,
    message: typeof message === 'string' ? message : null,
    data: isFields(data) ? data : {},
  };
}

/** The platform's answer, as the device gets it. `data` tells what failed validation, by identifier. */
export function replyFields(
  id: string | null,
  method: string,
  [code, message]: Result,
  data: Readonly<Record<string, Json>> = {},
): Readonly<Record<string, Json>> {
  return { code, data, id: id ?? '', message, method, version: '1.0' };
}

/** Ids are texts of digits; many devices send numbers. */
function idOf(id: Json | undefined): string | null {
  if (typeof id === 'string') return id === '' ? null : id;
  if (id instanceof Digits) return id.text;
  return typeof id === 'number' || typeof id === 'bigint' ? String(id) : null;
}

export const isFields = (value: Json | undefined): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Digits);
export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);
