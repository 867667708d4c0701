import { JsonText } from '../storage/json-text.js';

/** `JSON.stringify` that keeps every digit: JSON text from the database goes out as it is. */
export function exactJson(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (value instanceof Date) return `"${value.toISOString()}"`;
  if (Array.isArray(value)) return `[${value.map(exactJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  let text = '{';
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(key)}:${exactJson(field)}`;
  }
  return text + '}';
}
