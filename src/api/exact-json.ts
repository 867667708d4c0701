import { JsonText } from '../storage/json-text.js';

/** `JSON.stringify` that keeps every digit: JSON text from the database goes out as it is. */
export function exactJson(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  // Put together piece by piece: answers have tens of thousands of fields, and arrays of their texts are slower.
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += (text === '' ? '' : ',') + exactJson(item);
    return `[${text}]`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(fields)) {
    const field = fields[key];
    if (field !== undefined) text += `${text === '' ? '' : ','}${named(key)}${exactJson(field)}`;
  }
  return `{${text}}`;
}

/** The names of fields are few; those of properties may be many. */
const MOST_NAMES = 1_000;
const names = new Map<string, string>();

function named(key: string): string {
  const known = names.get(key);
  if (known !== undefined) return known;
  const name = `${JSON.stringify(key)}:`;
  if (names.size < MOST_NAMES) names.set(key, name);
  return name;
}
