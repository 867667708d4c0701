import { isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';

/**
 * A value in a rule. Numbers whose digits a double would change are kept as text (`LosslessNumber`): what a rule only
 * passes on, arrives as the device wrote it.
 */
export type SqlValue =
  string | number | boolean | null | LosslessNumber | readonly SqlValue[] | { readonly [key: string]: SqlValue };

export type SqlRecord = Readonly<Record<string, SqlValue>>;

/** A rule cannot be carried out for a message: the wrong kind of value for a function, say. */
export class SqlFailed extends Error {
  override readonly name = 'SqlFailed';
}

/** Reads JSON with every digit; null in place of a result when the text is no JSON. */
export function readJson(text: string): { readonly value: SqlValue } | null {
  try {
    return {
      value: parse(text, undefined, {
        parseNumber: readNumber,
        onDuplicateKey: ({ newValue }) => newValue,
      }) as SqlValue,
    };
  } catch {
    return null;
  }
}

/** JSON text, with every digit. */
export function writeJson(value: SqlValue): string {
  return stringify(value) ?? 'null';
}

const readNumber = (text: string): number | LosslessNumber => {
  const value = Number(text);
  return String(value) === text ? value : new LosslessNumber(text);
};

export function isRecord(value: SqlValue): value is SqlRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
}

export function isList(value: SqlValue): value is readonly SqlValue[] {
  return Array.isArray(value);
}

/** A number, also one written as text or a boolean; null when it is none. */
export function toNumber(value: SqlValue): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  const text = isLosslessNumber(value) ? value.value : typeof value === 'string' ? value.trim() : '';
  const number = text === '' ? Number.NaN : Number(text);
  return Number.isNaN(number) ? null : number;
}

/** Text as a function sees it; lists and objects as JSON. */
export function toText(value: SqlValue): string {
  if (typeof value === 'string') return value;
  if (isLosslessNumber(value)) return value.value;
  return typeof value === 'object' ? writeJson(value) : String(value);
}

/** Below, at or above zero as `a` is before, the same as or after `b`; null when they cannot be compared. */
export function compare(a: SqlValue, b: SqlValue): number | null {
  const [first, second] = [wholeDigits(a), wholeDigits(b)];
  if (first !== null && second !== null) return first < second ? -1 : Number(first > second);
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : Number(a > b);
  if (isRecord(a) || isRecord(b) || isList(a) || isList(b)) return null;
  const [left, right] = [toNumber(a), toNumber(b)];
  return left === null || right === null ? null : Math.sign(left - right);
}

/** Whole numbers that fit no double are compared digit by digit. */
function wholeDigits(value: SqlValue): bigint | null {
  if (isLosslessNumber(value)) return /^-?\d+$/.test(value.value) ? BigInt(value.value) : null;
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : null;
}
