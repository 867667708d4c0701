import type { CanonicalNumber } from './value.js';

/** An exact decimal number: `digits` divided by ten to the power of `places`. */
export interface Decimal {
  readonly digits: bigint;
  readonly places: number;
}

export const ZERO: Decimal = { digits: 0n, places: 0 };

/** What a quotient that never ends is rounded to: more digits than a double has. */
const SIGNIFICANT_DIGITS = 20;

/** Reads plain decimal text, as it is stored. */
export function decimal(text: CanonicalNumber | number): Decimal {
  const all = String(text);
  const point = all.indexOf('.');
  if (point < 0) return { digits: BigInt(all), places: 0 };
  const fraction = all.slice(point + 1);
  return { digits: BigInt(all.slice(0, point) + fraction), places: fraction.length };
}

const ZERO_DIGIT = '0'.charCodeAt(0);

/** The canonical text: no needless zeros, no minus before zero. */
export function decimalText({ digits, places }: Decimal): CanonicalNumber {
  const negative = digits < 0n;
  const all = (negative ? -digits : digits).toString().padStart(places + 1, '0');
  const whole = all.slice(0, all.length - places);
  let end = all.length;
  while (end > whole.length && all.charCodeAt(end - 1) === ZERO_DIGIT) end -= 1;
  const fraction = all.slice(whole.length, end);
  return `${negative ? '-' : ''}${whole}${fraction && `.${fraction}`}`;
}

export function plus(a: Decimal, b: Decimal): Decimal {
  const places = Math.max(a.places, b.places);
  return { digits: widened(a, places) + widened(b, places), places };
}

export function minus(a: Decimal, b: Decimal): Decimal {
  return plus(a, { ...b, digits: -b.digits });
}

/** @param whole a whole number */
export function times({ digits, places }: Decimal, whole: number): Decimal {
  return { digits: digits * BigInt(whole), places };
}

/**
 * A quotient, exact where it has an end within 20 significant digits (or within the decimal places of the dividend, if those are
 * more), else rounded there, halves away from zero.
 * @param whole a whole number, not 0
 */
export function dividedBy({ digits, places }: Decimal, whole: number): Decimal {
  const divisor = BigInt(whole);
  const before = digitCount(digits) - places - digitCount(divisor); // of the quotient, or one more
  const kept = Math.max(places, SIGNIFICANT_DIGITS - before);
  const scaled = digits * tenTo(kept - places);
  const half = (divisor < 0n ? -divisor : divisor) / 2n;
  const odd = divisor % 2n === 0n ? 0n : 1n;
  const rest = scaled % divisor;
  const quotient = scaled / divisor;
  const up = (rest < 0n ? -rest : rest) >= half + odd && rest !== 0n;
  const away = digits < 0n === divisor < 0n ? 1n : -1n;
  return { digits: up ? quotient + away : quotient, places: kept };
}

function widened({ digits, places }: Decimal, to: number): bigint {
  return to === places ? digits : digits * tenTo(to - places);
}

const TENS = Array.from({ length: 40 }, (_, power) => 10n ** BigInt(power));

function tenTo(power: number): bigint {
  return TENS[power] ?? 10n ** BigInt(power);
}

function digitCount(value: bigint): number {
  return (value < 0n ? -value : value).toString().length;
}
