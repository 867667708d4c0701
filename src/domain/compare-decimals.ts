/** The order of two numbers as JSON writes them, exponents and all, to the last digit. Nothing is written out for it. */
export function compareDecimals(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  if (left.sign !== right.sign) return left.sign - right.sign;
  return left.sign * compareMagnitudes(left, right) || 0; // never minus zero
}

interface Decimal {
  readonly sign: -1 | 0 | 1;
  /** Without zeros at either end. */
  readonly digits: string;
  /** The number is 0.<digits> times ten to the power of this. */
  readonly power: number;
}

function parts(text: string): Decimal {
  const [, minus = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  const zeros = all.length - digits.length;
  if (digits === '') return { sign: 0, digits, power: 0 };
  return {
    sign: minus === '-' ? -1 : 1,
    digits: withoutTrailingZeros(digits),
    power: whole.length - zeros + Number(exponent),
  };
}

/** A loop: a pattern would try each run of zeros anew. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === 0x30) end -= 1;
  return digits.slice(0, end);
}

function compareMagnitudes(a: Decimal, b: Decimal): number {
  if (a.power !== b.power) return a.power - b.power;
  if (a.digits === b.digits) return 0;
  return a.digits < b.digits ? -1 : 1;
}
