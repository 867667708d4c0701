/** A number whose value a double may not hold, as its JSON text. */
export class ExactNumber {
  constructor(readonly text: string) {}
}

/** What JSON text says, without loss: a `number` here is one whose decimal text comes back from the double unchanged. */
export type Json = null | boolean | string | number | ExactNumber | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}

export function isJsonArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

export function isJsonNumber(value: unknown): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber;
}

/** The named members of an object that are there, in a new object. */
export function pick(body: JsonObject, names: readonly string[]): JsonObject {
  const picked: Record<string, Json> = {};
  for (const name of names) {
    const value = body[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
