import type { CanonicalNumber } from './value.js';

/** A decimal number of any length, `digits` / 10^`scale`. JavaScript's own numbers would lose digits of a sum. */
export interface ExactDecimal {
  readonly digits: bigint;
  readonly scale: number;
}

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

/** @param factor a whole number. */
export function times({ digits, scale }: ExactDecimal, factor: number): ExactDecimal {
  return { digits: digits * BigInt(factor), scale };
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
