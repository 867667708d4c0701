import type { CanonicalNumber } from './value.js';

/** A decimal number of any length, `digits` / 10^`scale`. JavaScript's own numbers would lose digits of a sum. */
export interface ExactDecimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** What a quotient that never ends is rounded to: more digits than a double has. */
const SIGNIFICANT_DIGITS = 20;

export const ZERO: ExactDecimal = { digits: 0n, scale: 0 };

/** Reads a number as PostgreSQL writes it: digits and at most a point, no exponent. */
export function exactDecimal(text: string): ExactDecimal {
  const point = text.indexOf('.');
  if (point < 0) return { digits: BigInt(text), scale: 0 };
  return { digits: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 };
}

export function plus(a: ExactDecimal, b: ExactDecimal): ExactDecimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: atScale(a, scale) + atScale(b, scale), scale };
}

export function minus(a: ExactDecimal, b: ExactDecimal): ExactDecimal {
  return plus(a, { ...b, digits: -b.digits });
}

/** @param factor a whole number. */
export function times({ digits, scale }: ExactDecimal, factor: number): ExactDecimal {
  return { digits: digits * BigInt(factor), scale };
}

/**
 * A quotient, exact where it has an end within 20 significant digits (or within the decimal places of the dividend, if those are
 * more), else rounded there, halves away from zero.
 * @param whole a whole number, not 0
 */
export function dividedBy({ digits, scale }: ExactDecimal, whole: number): ExactDecimal {
  const divisor = BigInt(whole);
  const before = digitCount(digits) - scale - digitCount(divisor); // of the quotient, or one more
  const kept = Math.max(scale, SIGNIFICANT_DIGITS - before);
  const scaled = digits * 10n ** BigInt(kept - scale);
  const half = (divisor < 0n ? -divisor : divisor) / 2n;
  const odd = divisor % 2n === 0n ? 0n : 1n;
  const rest = scaled % divisor;
  const quotient = scaled / divisor;
  const up = (rest < 0n ? -rest : rest) >= half + odd && rest !== 0n;
  const away = digits < 0n === divisor < 0n ? 1n : -1n;
  return { digits: up ? quotient + away : quotient, scale: kept };
}

/** The number without zeros that say nothing. */
export function decimalText({ digits, scale }: ExactDecimal): CanonicalNumber {
  const sign = digits < 0n ? '-' : '';
  const all = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const whole = all.slice(0, all.length - scale);
  const fraction = all.slice(all.length - scale).replace(/0+$/, '');
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function atScale({ digits, scale }: ExactDecimal, wanted: number): bigint {
  return wanted === scale ? digits : digits * 10n ** BigInt(wanted - scale);
}

function digitCount(value: bigint): number {
  return (value < 0n ? -value : value).toString().length;
}
