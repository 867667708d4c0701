/**
 * Reads values of the AMQP 1.0 type system (specification part 1) from bytes that nobody has checked. We read messages
 * ourselves because rhea 3.0.5 loses what we promise to keep: an unsigned long just above 2^53 is rounded, larger ones come
 * as eight bytes that look like any other binary, and bytes it cannot read close the connection, so that the same message
 * comes again for ever.
 */
export type WireValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'binary'; readonly bytes: Buffer }
  /** Numbers, truth values, times (milliseconds since 1970), characters and UUIDs, in their usual writing. */
  | { readonly kind: 'scalar'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly WireValue[] }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [WireValue, WireValue])[] }
  | { readonly kind: 'described'; readonly descriptor: WireValue; readonly value: WireValue };

/** Bytes that are not a value of the AMQP type system. */
export class MalformedWireValue extends Error {
  override readonly name = 'MalformedWireValue';
}

const MAX_DEPTH = 32;
/** Elements without a width, such as nulls, cost the sender nothing: no honest message has more in all its arrays. */
const MAX_EMPTY_ELEMENTS = 65_536;
/** Up to this length a look at every byte costs less than what decoding plain ASCII as UTF-8 costs on top. */
const SHORT_TEXT = 256;
/** High halves of the 64-bit integers that a number holds exactly: from -2^53 up to, but without, 2^53. */
const [MIN_EXACT_HIGH, MAX_EXACT_HIGH] = [-0x200000, 0x1fffff];
const HIGH = 0x1_0000_0000;

/**
 * Goes through the values one after another. `read` makes a tree of any of them; what every message has is read straight
 * into strings by `readText`, `readKnownText`, `readBinary` and the heads, for a tree costs several times as much.
 */
export class WireReader {
  private position = 0;
  private emptyElements = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  /** Whether the next value is a string or a symbol. */
  get atText(): boolean {
    const code = this.bytes[this.position];
    return code === 0xa1 || code === 0xb1 || code === 0xa3 || code === 0xb3;
  }

  /** @throws MalformedWireValue */
  read(depth = 0): WireValue {
    if (depth > MAX_DEPTH) throw tooDeep();
    const code = this.byte();
    if (code !== 0x00) return this.value(code, depth);
    const descriptor = this.read(depth + 1);
    return { kind: 'described', descriptor, value: this.read(depth + 1) };
  }

  /**
   * Reads the next value as its text, the same as `textOf(read(depth))`.
   * @throws MalformedWireValue
   */
  readText(depth: number): string | null {
    const start = this.position;
    const code = this.byte();
    switch (code) {
      case 0x40:
        return null;
      case 0xa1:
      case 0xa3:
        return this.text(this.byte());
      case 0xb1:
      case 0xb3:
        return this.text(this.uint32());
      default: {
        const scalar = this.scalar(code);
        if (scalar !== undefined) return scalar;
        this.position = start;
        return textOf(this.read(depth));
      }
    }
  }

  /**
   * The same as `readText`, but gives the very string of `known` (ASCII) that the value says, if there is one.
   * @throws MalformedWireValue
   */
  readKnownText(known: readonly string[], depth: number): string | null {
    const { bytes, position } = this;
    const code = bytes[position];
    if (code === 0xa1 || code === 0xa3) {
      const length = bytes[position + 1];
      for (const name of known) {
        if (name.length === length && this.says(name, position + 2)) {
          this.position = position + 2 + length;
          return name;
        }
      }
    }
    return this.readText(depth);
  }

  /** Takes the mark of a described value, after which descriptor and value follow; false when the next is none. */
  takeDescribed(): boolean {
    if (this.bytes[this.position] !== 0x00) return false;
    this.position += 1;
    return true;
  }

  /**
   * Takes the head of a list.
   * @returns how many elements follow; null, having taken nothing, when the next value is no list
   * @throws MalformedWireValue
   */
  takeList(): number | null {
    return this.takeCount(0xc0, 0xd0, 0x45);
  }

  /**
   * Takes the head of a map.
   * @returns how many keys and values follow; null, having taken nothing, when the next value is no map
   * @throws MalformedWireValue
   */
  takeMap(): number | null {
    return this.takeCount(0xc1, 0xd1);
  }

  /**
   * Reads a variable-width binary: a view of the bytes.
   * @returns null, having taken nothing, when the next value is none
   * @throws MalformedWireValue
   */
  readBinary(): Buffer | null {
    const code = this.bytes[this.position];
    if (code !== 0xa0 && code !== 0xb0) return null;
    this.position += 1;
    return this.take(code === 0xa0 ? this.byte() : this.uint32());
  }

  private value(code: number, depth: number): WireValue {
    const text = this.scalar(code);
    if (text !== undefined) return { kind: 'scalar', text };
    switch (code) {
      case 0x40:
        return { kind: 'null' };
      case 0x74: // decimals are kept as they are: no platform sends them
        return { kind: 'binary', bytes: this.take(4) };
      case 0x84:
        return { kind: 'binary', bytes: this.take(8) };
      case 0x94:
        return { kind: 'binary', bytes: this.take(16) };
      case 0xa0:
        return { kind: 'binary', bytes: this.take(this.byte()) };
      case 0xb0:
        return { kind: 'binary', bytes: this.take(this.uint32()) };
      case 0xa1:
      case 0xa3:
        return { kind: 'text', bytes: this.take(this.byte()) };
      case 0xb1:
      case 0xb3:
        return { kind: 'text', bytes: this.take(this.uint32()) };
      case 0x45:
        return { kind: 'list', items: [] };
      case 0xc0:
        return { kind: 'list', items: this.items(1, depth) };
      case 0xd0:
        return { kind: 'list', items: this.items(4, depth) };
      case 0xc1:
        return mapOf(this.items(1, depth));
      case 0xd1:
        return mapOf(this.items(4, depth));
      case 0xe0:
        return this.array(1, depth);
      case 0xf0:
        return this.array(4, depth);
      default:
        throw new MalformedWireValue(`no type has the code 0x${code.toString(16)}`);
    }
  }

  /** The text of what has a fixed width and a usual writing; undefined, having taken nothing, for any other code. */
  private scalar(code: number): string | undefined {
    switch (code) {
      case 0x41:
        return 'true';
      case 0x42:
        return 'false';
      case 0x56:
        return String(this.byte() !== 0);
      case 0x43:
      case 0x44:
        return '0';
      case 0x50:
      case 0x52:
      case 0x53:
        return String(this.byte());
      case 0x51:
      case 0x54:
      case 0x55:
        return String((this.byte() << 24) >> 24);
      case 0x60:
        return String(this.bytes.readUInt16BE(this.skip(2)));
      case 0x61:
        return String(this.bytes.readInt16BE(this.skip(2)));
      case 0x70:
        return String(this.uint32());
      case 0x71:
        return String(this.uint32() | 0);
      case 0x72:
        return String(this.bytes.readFloatBE(this.skip(4)));
      case 0x73:
        return character(this.uint32());
      case 0x80:
        return this.int64(false);
      case 0x81:
      case 0x83:
        return this.int64(true);
      case 0x82:
        return String(this.bytes.readDoubleBE(this.skip(8)));
      case 0x98: {
        const start = this.skip(16);
        return this.bytes.toString('hex', start, start + 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
      }
      default:
        return undefined;
    }
  }

  private int64(signed: boolean): string {
    const start = this.skip(8);
    const first = this.uint32At(start);
    const high = signed ? first | 0 : first;
    if (high >= MIN_EXACT_HIGH && high <= MAX_EXACT_HIGH) return String(high * HIGH + this.uint32At(start + 4));
    return String(signed ? this.bytes.readBigInt64BE(start) : this.bytes.readBigUInt64BE(start));
  }

  private text(length: number): string {
    const { bytes } = this;
    const start = this.skip(length);
    const end = this.position;
    if (length > SHORT_TEXT) return bytes.toString('utf8', start, end);
    for (let at = start; at < end; at += 1) {
      if ((bytes[at] ?? 0) > 0x7f) return bytes.toString('utf8', start, end);
    }
    return bytes.toString('latin1', start, end);
  }

  private says(name: string, start: number): boolean {
    for (let index = 0; index < name.length; index += 1) {
      if (this.bytes[start + index] !== name.charCodeAt(index)) return false;
    }
    return true;
  }

  private takeCount(narrow: number, wide: number, empty?: number): number | null {
    const code = this.bytes[this.position];
    if (code !== narrow && code !== wide && (code === undefined || code !== empty)) return null;
    this.position += 1;
    return code === empty ? 0 : this.count(code === narrow ? 1 : 4);
  }

  private count(width: 1 | 4): number {
    this.uint(width); // the size in bytes, which the elements tell as well
    const count = this.uint(width);
    if (count > this.bytes.length - this.position) throw new MalformedWireValue('more elements than bytes');
    return count;
  }

  private items(width: 1 | 4, depth: number): WireValue[] {
    return Array.from({ length: this.count(width) }, () => this.read(depth + 1));
  }

  private array(width: 1 | 4, depth: number): WireValue {
    if (depth >= MAX_DEPTH) throw tooDeep(); // arrays of arrays: their elements are not read by `read`
    this.uint(width);
    const count = this.uint(width);
    let code = this.byte();
    let descriptor: WireValue | null = null;
    if (code === 0x00) {
      descriptor = this.read(depth + 1);
      code = this.byte();
    }
    if (!this.hasRoomFor(count, code)) throw new MalformedWireValue('more elements than bytes');
    const items = Array.from({ length: count }, (): WireValue => {
      const value = this.value(code, depth + 1);
      return descriptor === null ? value : { kind: 'described', descriptor, value };
    });
    return { kind: 'list', items };
  }

  private hasRoomFor(count: number, code: number): boolean {
    if (code >> 4 !== 0x4) return count <= this.bytes.length - this.position;
    this.emptyElements += count;
    return this.emptyElements <= MAX_EMPTY_ELEMENTS;
  }

  private uint(width: 1 | 4): number {
    return width === 1 ? this.byte() : this.uint32();
  }

  private byte(): number {
    return this.bytes[this.skip(1)] ?? 0;
  }

  private uint32(): number {
    return this.uint32At(this.skip(4));
  }

  /** Four bytes that are there. */
  private uint32At(start: number): number {
    const { bytes } = this;
    const low = ((bytes[start + 1] ?? 0) << 16) | ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
    return (bytes[start] ?? 0) * 0x1000000 + low;
  }

  private take(length: number): Buffer {
    const start = this.skip(length);
    return this.bytes.subarray(start, this.position);
  }

  /** @returns where the bytes skipped begin */
  private skip(length: number): number {
    const start = this.position;
    if (start + length > this.bytes.length) throw new MalformedWireValue('the bytes end too early');
    this.position = start + length;
    return start;
  }
}

/**
 * A value as text for people and keys: strings and numbers in their usual writing, binary as its UTF-8 text or else as
 * hexadecimal digits, lists and maps as JSON. Null for null.
 */
export function textOf(value: WireValue): string | null {
  switch (value.kind) {
    case 'null':
      return null;
    case 'text':
      return value.bytes.toString('utf8');
    case 'binary': {
      const text = value.bytes.toString('utf8');
      return Buffer.from(text, 'utf8').equals(value.bytes) ? text : value.bytes.toString('hex');
    }
    case 'scalar':
      return value.text;
    case 'list':
    case 'map':
      return JSON.stringify(jsonOf(value));
    case 'described':
      return textOf(value.value);
    default:
      return value satisfies never;
  }
}

/** Lists in lists as JSON in JSON. As text in text, every level would escape those below again, and double their length. */
function jsonOf(value: WireValue): unknown {
  if (value.kind === 'list') return value.items.map(jsonOf);
  if (value.kind === 'map') return value.entries.map(([key, item]) => [jsonOf(key), jsonOf(item)]);
  return value.kind === 'described' ? jsonOf(value.value) : textOf(value);
}

function tooDeep(): MalformedWireValue {
  return new MalformedWireValue(`nested deeper than ${MAX_DEPTH}`);
}

function character(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : String(code);
}

function mapOf(items: readonly WireValue[]): WireValue {
  if (items.length % 2 !== 0) throw new MalformedWireValue('a map has a key without a value');
  const entries: (readonly [WireValue, WireValue])[] = [];
  for (let index = 0; index + 1 < items.length; index += 2) {
    const [key, value] = [items[index], items[index + 1]];
    if (key !== undefined && value !== undefined) entries.push([key, value]);
  }
  return { kind: 'map', entries };
}
