import type { NumberAt } from '../../src/domain/partial-aggregate.js';
import type { ReadingRow } from '../support/reading-rows.js';

/** Decimal numbers as whole ones, for adding up by hand: so many places behind the point. */
const PLACES = 24;

export function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(PLACES, '0'));
}

export function unscaled(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(PLACES + 1, '0');
  const fraction = digits.slice(-PLACES).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -PLACES)}${fraction && `.${fraction}`}`;
}

/** The numbers among readings: of several values in one millisecond, the greatest counts, and only if it is a number. */
export function numbersOf(rows: readonly ReadingRow[]): readonly NumberAt[] {
  return rows.flatMap(({ at, values }) => {
    const value = values.at(-1);
    return value?.kind === 'number' ? [{ at, value: value.text }] : [];
  });
}
