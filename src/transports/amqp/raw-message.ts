import type { RawMessage } from '../../domain/raw-message.js';
import { MalformedWireValue, textOf, WireReader } from './wire-value.js';

export interface RawMessageOptions {
  /** `base64` when the platform was asked to encode bodies: then, and only then, they are decoded. Never guessed. */
  readonly encode: 'base64' | undefined;
  readonly receivedAt: Date;
}

/**
 * A message from the bytes of its transfer (protocol 3). Never throws: what is no AMQP message at all becomes one with these
 * bytes as its body, which nobody will understand and which is therefore set aside.
 */
export function rawMessage(transfer: Buffer, { encode, receivedAt }: RawMessageOptions): RawMessage {
  const wire = readMessage(transfer);
  const decoded = encode === 'base64' ? strictBase64(wire.body) : wire.body;
  return {
    transport: 'amqp',
    messageId: wire.messageId,
    topic: wire.topic,
    generateTime: wire.generateTime,
    properties: wire.properties,
    body: decoded ?? wire.body,
    fault: decoded === null ? 'not-base64' : null,
    receivedAt,
    ...(Number(wire.properties['header.delivery-count'] ?? 0) > 0 && { redelivered: true }),
  };
}

interface WireMessage {
  readonly messageId: string | null;
  readonly topic: string | null;
  readonly generateTime: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Sections by the numeric or the symbolic code of their descriptor (specification part 3). */
const sections = new Map<string, Section>([
  ...section('112', 'amqp:header:list', 'header'),
  ...section('113', 'amqp:delivery-annotations:map', 'delivery-annotations'),
  ...section('114', 'amqp:message-annotations:map', 'annotations'),
  ...section('115', 'amqp:properties:list', 'properties'),
  ...section('116', 'amqp:application-properties:map', 'application-properties'),
  ...section('117', 'amqp:data:binary', 'data'),
  ...section('118', 'amqp:amqp-sequence:list', 'sequence'),
  ...section('119', 'amqp:amqp-value:*', 'value'),
  ...section('120', 'amqp:footer:map', 'footer'),
]);
type Section =
  | 'header'
  | 'delivery-annotations'
  | 'annotations'
  | 'properties'
  | 'application-properties'
  | 'data'
  | 'sequence'
  | 'value'
  | 'footer';

const headerFields = [
  'header.durable',
  'header.priority',
  'header.ttl',
  'header.first-acquirer',
  'header.delivery-count',
];
const propertyFields = [
  'properties.message-id',
  'properties.user-id',
  'properties.to',
  'properties.subject',
  'properties.reply-to',
  'properties.correlation-id',
  'properties.content-type',
  'properties.content-encoding',
  'properties.absolute-expiry-time',
  'properties.creation-time',
  'properties.group-id',
  'properties.group-sequence',
  'properties.reply-to-group-id',
];
/** What the platform calls its application properties (protocol 3): these names need not be decoded. */
const platformKeys = ['topic', 'messageId', 'generateTime', 'qos'];

/** How deep the value of a section is, and what it consists of. */
const [SECTION, ELEMENT] = [1, 2];

function readMessage(transfer: Buffer): WireMessage {
  const properties: Record<string, string> = {};
  const body: Buffer[] = [];
  let ownId: string | null = null;
  let standardId: string | null = null;
  let topic: string | null = null;
  let generateTime: string | null = null;

  try {
    const reader = new WireReader(transfer);
    while (!reader.atEnd) {
      const name = sectionName(reader);
      switch (name) {
        case 'header':
          readFields(reader, name, headerFields, properties);
          break;
        case 'properties':
          standardId = readFields(reader, name, propertyFields, properties) ?? standardId;
          break;
        case 'application-properties': {
          let left = pairCount(reader);
          for (; left > 1; left -= 2) {
            const key = reader.readKnownText(platformKeys, ELEMENT) ?? 'null';
            const isText = reader.atText;
            const text = reader.readText(ELEMENT);
            if (text === null) continue;
            define(properties, key, text);
            if (key === 'messageId') ownId = text;
            else if (key === 'topic') topic = isText ? text : null;
            else if (key === 'generateTime') generateTime = text;
          }
          refuseHalfPair(reader, left);
          break;
        }
        case 'annotations':
        case 'delivery-annotations':
        case 'footer': {
          let left = pairCount(reader);
          for (; left > 1; left -= 2) {
            const key = reader.readText(ELEMENT) ?? 'null';
            const text = reader.readText(ELEMENT);
            if (text !== null) properties[`${name}.${key}`] = text;
          }
          refuseHalfPair(reader, left);
          break;
        }
        case 'data':
        case 'sequence':
        case 'value':
          body.push(reader.readBinary() ?? readBytes(reader));
          break;
        default:
          name satisfies never;
      }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const unreadable = { unreadable: `not an AMQP message: ${reason}` };
    return { messageId: null, topic: null, generateTime: null, properties: unreadable, body: transfer };
  }
  const [only] = body;
  return {
    messageId: ownId || standardId || null,
    topic: topic || null,
    generateTime: generateTime || null,
    properties,
    body: body.length === 1 && only !== undefined ? only : Buffer.concat(body),
  };
}

/** Reads up to the value of the next section. */
function sectionName(reader: WireReader): Section {
  const described = reader.takeDescribed();
  const name = described ? sections.get(reader.readText(SECTION) ?? '') : undefined;
  if (name !== undefined) return name;
  reader.read(described ? SECTION : 0); // bytes that are no value at all say so themselves
  throw new Error('not a section of a message');
}

/** @returns the text of the first field, null when it has none */
function readFields(
  reader: WireReader,
  section: Section,
  names: readonly string[],
  properties: Record<string, string>,
): string | null {
  const texts = fieldTexts(reader);
  for (let index = 0; index < texts.length; index += 1) {
    const text = texts[index] ?? null;
    if (text !== null) properties[names[index] ?? `${section}.field-${index + 1}`] = text;
  }
  return texts[0] ?? null;
}

function fieldTexts(reader: WireReader): (string | null)[] {
  const count = reader.takeList();
  if (count === null) {
    const value = reader.read(SECTION);
    if (value.kind !== 'list') throw new Error('a section of fields is no list');
    return value.items.map(textOf); // an array: not what the specification says, but as good
  }
  const texts: (string | null)[] = [];
  while (texts.length < count) texts.push(reader.readText(ELEMENT));
  return texts;
}

/** Reads up to the first pair of a section. @returns how many keys and values follow: none for null */
function pairCount(reader: WireReader): number {
  const count = reader.takeMap();
  if (count !== null) return count;
  if (reader.read(SECTION).kind === 'null') return 0;
  throw new Error('a section of pairs is no map');
}

function refuseHalfPair(reader: WireReader, left: number): void {
  if (left === 0) return;
  reader.read(ELEMENT);
  throw new MalformedWireValue('a map has a key without a value');
}

/** An own property, also one named `__proto__`, which no assignment would make. */
function define(properties: Record<string, string>, key: string, value: string): void {
  if (key !== '__proto__') properties[key] = value;
  else Object.defineProperty(properties, key, { value, configurable: true, enumerable: true, writable: true });
}

/** The exact bytes of strings and binaries, the text of anything else, nothing for null. */
function readBytes(reader: WireReader): Buffer {
  const value = reader.read(SECTION);
  if (value.kind === 'text' || value.kind === 'binary') return value.bytes;
  return Buffer.from(textOf(value) ?? '', 'utf8');
}

/** @returns null unless all of it is Base64 with the standard alphabet and its padding; line ends may be inside. */
function strictBase64(body: Buffer): Buffer | null {
  const text = body.toString('latin1').replace(/[\r\n]/g, '');
  const decoded = Buffer.from(text, 'base64');
  return decoded.toString('base64') === text ? decoded : null;
}

function section(numeric: string, symbolic: string, name: Section): [string, Section][] {
  return [
    [numeric, name],
    [symbolic, name],
  ];
}
