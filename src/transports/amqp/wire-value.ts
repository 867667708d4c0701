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
/** Elements without a width, such as nulls, cost the sender nothing: no honest array has more. */
const MAX_EMPTY_ELEMENTS = 65_536;

export class WireReader {
  private position = 0;

  constructor(private readonly bytes: Buffer) {}

  get atEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  /** @throws MalformedWireValue */
  read(depth = 0): WireValue {
    if (depth > MAX_DEPTH) throw new MalformedWireValue(`nested deeper than ${MAX_DEPTH}`);
    const code = this.uint(1);
    if (code !== 0x00) return this.value(code, depth);
    const descriptor = this.read(depth + 1);
    return { kind: 'described', descriptor, value: this.read(depth + 1) };
  }

  private value(code: number, depth: number): WireValue {
    switch (code) {
      case 0x40:
        return { kind: 'null' };
      case 0x41:
        return scalar(true);
      case 0x42:
        return scalar(false);
      case 0x56:
        return scalar(this.uint(1) !== 0);
      case 0x43:
      case 0x44:
        return scalar(0);
      case 0x50:
      case 0x52:
      case 0x53:
        return scalar(this.uint(1));
      case 0x51:
      case 0x54:
      case 0x55:
        return scalar(this.take(1).readInt8());
      case 0x60:
        return scalar(this.uint(2));
      case 0x61:
        return scalar(this.take(2).readInt16BE());
      case 0x70:
        return scalar(this.uint(4));
      case 0x71:
        return scalar(this.take(4).readInt32BE());
      case 0x72:
        return scalar(this.take(4).readFloatBE());
      case 0x73:
        return scalar(character(this.uint(4)));
      case 0x80:
        return scalar(this.take(8).readBigUInt64BE());
      case 0x81:
      case 0x83:
        return scalar(this.take(8).readBigInt64BE());
      case 0x82:
        return scalar(this.take(8).readDoubleBE());
      case 0x74: // decimals are kept as they are: no platform sends them
        return { kind: 'binary', bytes: this.take(4) };
      case 0x84:
        return { kind: 'binary', bytes: this.take(8) };
      case 0x94:
        return { kind: 'binary', bytes: this.take(16) };
      case 0x98:
        return scalar(
          this.take(16)
            .toString('hex')
            .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
        );
      case 0xa0:
        return { kind: 'binary', bytes: this.take(this.uint(1)) };
      case 0xb0:
        return { kind: 'binary', bytes: this.take(this.uint(4)) };
      case 0xa1:
      case 0xa3:
        return { kind: 'text', bytes: this.take(this.uint(1)) };
      case 0xb1:
      case 0xb3:
        return { kind: 'text', bytes: this.take(this.uint(4)) };
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

  private items(width: 1 | 4, depth: number): WireValue[] {
    this.uint(width); // the size in bytes, which the elements tell as well
    const count = this.uint(width);
    if (count > this.bytes.length - this.position) throw new MalformedWireValue('more elements than bytes');
    return Array.from({ length: count }, () => this.read(depth + 1));
  }

  private array(width: 1 | 4, depth: number): WireValue {
    this.uint(width);
    const count = this.uint(width);
    let code = this.uint(1);
    let descriptor: WireValue | null = null;
    if (code === 0x00) {
      descriptor = this.read(depth + 1);
      code = this.uint(1);
    }
    const hasWidth = code >> 4 !== 0x4;
    if (count > (hasWidth ? this.bytes.length - this.position : MAX_EMPTY_ELEMENTS)) {
      throw new MalformedWireValue('more elements than bytes');
    }
    const items = Array.from({ length: count }, (): WireValue => {
      const value = this.value(code, depth + 1);
      return descriptor === null ? value : { kind: 'described', descriptor, value };
    });
    return { kind: 'list', items };
  }

  private uint(width: 1 | 2 | 4): number {
    return this.take(width).readUIntBE(0, width);
  }

  private take(length: number): Buffer {
    const end = this.position + length;
    if (end > this.bytes.length) throw new MalformedWireValue('the bytes end too early');
    const part = this.bytes.subarray(this.position, end);
    this.position = end;
    return part;
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
      return JSON.stringify(value.items.map(textOf));
    case 'map':
      return JSON.stringify(value.entries.map(([key, item]) => [textOf(key), textOf(item)]));
    case 'described':
      return textOf(value.value);
    default:
      return value satisfies never;
  }
}

function scalar(value: number | bigint | boolean | string): WireValue {
  return { kind: 'scalar', text: String(value) };
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
