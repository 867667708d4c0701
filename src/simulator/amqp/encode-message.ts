import type { PlatformMessage, PropertyValue } from '../platform/platform-message.js';

/**
 * A message as it goes over the wire (protocol 3), in AMQP 1.0's encoding. By hand, since rhea's own encoder costs several times
 * as much as all the rest of a delivery. Base64 as a client may ask for in its userName (protocol 1.4).
 */
export function encodeMessage(message: PlatformMessage, base64: boolean): Buffer {
  const { id, anonymous, topic, generateTime, qos, properties, bodyForm } = message;
  const body = base64 ? Buffer.from(message.body.toString('base64')) : message.body;
  const bytes = new Bytes(body.length);
  if (!anonymous) {
    bytes.section(PROPERTIES);
    const list = bytes.compound(LIST32, 1);
    bytes.string(id);
    bytes.close(list);
  }
  let count = 0;
  bytes.section(APPLICATION_PROPERTIES);
  const map = bytes.compound(MAP32, 0);
  const entry = (name: string): boolean => {
    if (name in properties) return false;
    bytes.string(name);
    count += 2;
    return true;
  };
  if (topic !== null && entry('topic')) bytes.string(topic);
  if (!anonymous && entry('messageId')) bytes.string(id);
  if (generateTime !== null && entry('generateTime')) bytes.value(generateTime);
  if (qos !== null && entry('qos')) bytes.int(qos);
  for (const name in properties) {
    bytes.string(name);
    bytes.value(properties[name] ?? null);
    count += 2;
  }
  bytes.close(map, count);
  switch (bodyForm) {
    case 'data':
      bytes.section(DATA);
      bytes.binary(body);
      break;
    case 'several-data': {
      const middle = Math.ceil(body.length / 2);
      for (const part of [body.subarray(0, middle), body.subarray(middle)]) {
        bytes.section(DATA);
        bytes.binary(part);
      }
      break;
    }
    case 'value-string':
      bytes.section(VALUE);
      bytes.string(body.toString('utf8'));
      break;
    case 'value-binary':
      bytes.section(VALUE);
      bytes.binary(body);
      break;
    default:
      bodyForm satisfies never;
  }
  return bytes.taken();
}

// Sections (AMQP 1.0, part 3.2).
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;
const VALUE = 0x77;

// Type codes (part 1.6).
const DESCRIBED = 0x00;
const SMALL_ULONG = 0x53;
const NULL = 0x40;
const TRUE = 0x41;
const FALSE = 0x42;
const INT = 0x71;
const LONG = 0x81;
const DOUBLE = 0x82;
const BINARY8 = 0xa0;
const BINARY32 = 0xb0;
const STRING8 = 0xa1;
const STRING32 = 0xb1;
const LIST32 = 0xd0;
const MAP32 = 0xd1;

/** What a message needs beside its body, mostly. */
const USUAL_BYTES = 512;

/** AMQP values written one behind the other into a buffer that grows. */
class Bytes {
  private buffer: Buffer;
  private end = 0;

  constructor(bodyBytes: number) {
    this.buffer = Buffer.allocUnsafe(USUAL_BYTES + bodyBytes);
  }

  section(code: number): void {
    this.room(3);
    this.buffer[this.end++] = DESCRIBED;
    this.buffer[this.end++] = SMALL_ULONG;
    this.buffer[this.end++] = code;
  }

  /** Opens a list or a map of so many values; `close` fills in its size. */
  compound(code: number, count: number): number {
    this.room(9);
    this.buffer[this.end] = code;
    this.buffer.writeUInt32BE(count, this.end + 5);
    this.end += 9;
    return this.end - 8;
  }

  close(opened: number, count?: number): void {
    this.buffer.writeUInt32BE(this.end - opened - 4, opened);
    if (count !== undefined) this.buffer.writeUInt32BE(count, opened + 4);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.head(length, STRING8, STRING32);
    this.end += this.buffer.write(text, this.end, 'utf8');
  }

  binary(bytes: Buffer): void {
    this.head(bytes.length, BINARY8, BINARY32);
    this.end += bytes.copy(this.buffer, this.end);
  }

  int(value: number): void {
    this.room(5);
    this.buffer[this.end] = INT;
    this.buffer.writeInt32BE(value, this.end + 1);
    this.end += 5;
  }

  /** Whole numbers as longs, others as doubles. */
  value(value: PropertyValue): void {
    if (typeof value === 'string') {
      this.string(value);
      return;
    }
    this.room(9);
    if (typeof value !== 'number') {
      this.buffer[this.end++] = value === null ? NULL : value ? TRUE : FALSE;
    } else if (Number.isSafeInteger(value)) {
      this.buffer[this.end] = LONG;
      // In two halves, since a BigInt of each would cost more than the rest of the message.
      this.buffer.writeInt32BE(Math.floor(value / 2 ** 32), this.end + 1);
      this.buffer.writeUInt32BE(value >>> 0, this.end + 5);
      this.end += 9;
    } else {
      this.buffer[this.end] = DOUBLE;
      this.buffer.writeDoubleBE(value, this.end + 1);
      this.end += 9;
    }
  }

  taken(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  private head(length: number, short: number, long: number): void {
    this.room(5 + length);
    if (length < 256) {
      this.buffer[this.end++] = short;
      this.buffer[this.end++] = length;
    } else {
      this.buffer[this.end] = long;
      this.buffer.writeUInt32BE(length, this.end + 1);
      this.end += 5;
    }
  }

  private room(bytes: number): void {
    if (this.end + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * this.buffer.length + bytes);
    this.buffer.copy(larger, 0, 0, this.end);
    this.buffer = larger;
  }
}
