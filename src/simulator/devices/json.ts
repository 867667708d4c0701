/** What a body may hold. A bigint is written digit by digit: platforms send integers that fit no double. */
export type Json =
  string | number | bigint | boolean | null | Digits | readonly Json[] | { readonly [key: string]: Json };

/** A number as somebody wrote it, where a double would write it otherwise: `99.0`, or more digits than one holds. */
export class Digits {
  constructor(readonly text: string) {}

  /** `JSON.stringify` cannot write it; `toJson` can. */
  toJSON(): never {
    throw new TypeError(`${this.text} is to be written by toJson`);
  }
}

/** JSON text, with bigints as plain numbers. */
export function toJson(value: Json): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Bigints and exact digits it does not know, and there are few.
    return withDigits(value);
  }
}

function withDigits(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Digits) return value.text;
  if (isList(value)) return `[${value.map(withDigits).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${JSON.stringify(key)}:${withDigits(item)}`)
    .join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
