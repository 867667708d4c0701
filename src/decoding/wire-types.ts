import { z } from 'zod';
import type { ValueRejectionReason } from '../domain/device-event.js';
import { canonicalJson } from './canonical-json.js';
import { canonicalNumber } from './canonical-number.js';
import { isJsonArray, isJsonNumber, isJsonObject, type Json, type JsonObject } from './json.js';
import { isShort, isStorable, visibleShort } from './storable-text.js';

const TOO_LONG = 'is longer than 256 characters';

/** Any value. What it is worth is judged where it is used. */
export const anything = z.custom<Json>(() => true).optional();

/** A time in any of its spellings; `MessageTimes` judges it. */
export const instant = anything;

export const jsonObject = z.custom<JsonObject>(isJsonObject, 'must be an object');

export const jsonArray = z.custom<readonly Json[]>(isJsonArray, 'must be an array');

/** A name that tables are keyed by. */
export const identifier = z
  .string()
  .refine(isShort, TOO_LONG)
  .refine(isStorable, 'holds a NUL character or half of a surrogate pair');

/** A number, or its digits in a string, as its exact decimal text. */
export const integerText = z.custom<Json>((value) => integerOf(value) !== null, 'must be an integer');

/** The exact decimal text of an integer, however the wire has it; null for anything else. */
export function integerOf(value: unknown): string | null {
  const text = typeof value === 'string' ? value : isJsonNumber(value) ? canonicalNumber(value) : null;
  return text !== null && /^-?\d{1,40}$/.test(text) ? text : null;
}

/** A text that may be missing and is for people to read: anything else than text is none, what cannot be kept is spelt out. */
export function labelOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? visibleShort(value) : null;
}

/** An attribute that is kept as it came or not at all. */
export function attributeOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' && isShort(value) && isStorable(value) ? value : null;
}

/** Request ids come as text or as numbers too long for a double; a device that sent none has an empty one or `"null"`. */
export function requestIdOf(value: Json | undefined): string | null {
  const text = isJsonNumber(value) ? canonicalNumber(value) : labelOf(value);
  return text === null || text === 'null' ? null : visibleShort(text);
}

/** Why an entry of a list, which failed its schema, is rejected. */
export function entryFault(entry: Json, error: z.ZodError): ValueRejectionReason {
  const text = canonicalJson(entry);
  if (typeof text !== 'string') return text.reason;
  return error.issues.every(({ message }) => message === TOO_LONG) ? 'too-long' : 'malformed';
}
