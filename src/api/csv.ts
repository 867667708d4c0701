import { exactJson } from './exact-json.js';

/** The end of a record (RFC 4180). */
export const CSV_LINE_END = '\r\n';

/** A record of CSV with its end. */
export function csvRecord(values: readonly unknown[]): string {
  return values.map(csvField).join(',') + CSV_LINE_END;
}

/**
 * A value as it is, without an apostrophe against spreadsheets that would take it for a formula: it must come back equal.
 * Nothing is an empty field, an empty text is `""`; whatever is neither text, number nor boolean is JSON text.
 */
export function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = value instanceof Date ? value.toISOString() : typeof value === 'string' ? value : exactJson(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
