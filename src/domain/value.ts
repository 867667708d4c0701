/**
 * Canonical JSON text: exactly what PostgreSQL prints for the same value as `jsonb` (keys by length, then by bytes; one
 * space after `:` and `,`; numbers in plain decimal without needless zeros). Two equal values have one text.
 */
export type CanonicalJson = string;

/** Canonical decimal text of a number: no exponent, no needless zeros, no minus before zero. `99.0` is `99`. */
export type CanonicalNumber = string;

/** A value that a device reported. A top-level number is kept as `numeric`, everything else as `jsonb`. */
export type Value =
  { readonly kind: 'number'; readonly text: CanonicalNumber } | { readonly kind: 'json'; readonly text: CanonicalJson };

/**
 * The fixed order of values that decides between two of one instant (never arrival): numbers below everything else, numbers
 * by size, the others by the bytes of their canonical text. `storage` repeats this order in SQL.
 * @returns negative, zero (the same value) or positive.
 */
export function compareValues(a: Value, b: Value): number {
  if (a.kind !== b.kind) return a.kind === 'number' ? -1 : 1;
  if (a.text === b.text) return 0;
  return a.kind === 'number' ? compareNumbers(a.text, b.text) : compareText(a.text, b.text);
}

/** The canonical JSON text of a value. A canonical number is its own JSON. */
export function jsonOf(value: Value): CanonicalJson {
  return value.text;
}

/** The order of PostgreSQL's collation "C" on UTF-8: by code point, which JavaScript's own `<` is not. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The order of two numbers by size. */
export function compareNumbers(a: CanonicalNumber, b: CanonicalNumber): number {
  const negative = a.startsWith('-');
  if (negative !== b.startsWith('-')) return negative ? -1 : 1;
  const order = negative ? compareMagnitudes(b.slice(1), a.slice(1)) : compareMagnitudes(a, b);
  return order;
}

function compareMagnitudes(a: string, b: string): number {
  const [aWhole = '', aFraction = ''] = a.split('.');
  const [bWhole = '', bFraction = ''] = b.split('.');
  if (aWhole.length !== bWhole.length) return aWhole.length - bWhole.length;
  if (aWhole !== bWhole) return aWhole < bWhole ? -1 : 1;
  if (aFraction === bFraction) return 0;
  return aFraction < bFraction ? -1 : 1; // no trailing zeros, so a prefix is the smaller one
}
