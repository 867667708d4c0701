import type { RawMessage } from '../../domain/raw-message.js';
import { textOf, WireReader, type WireValue } from './wire-value.js';

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
    properties: Object.fromEntries(wire.properties), // defines own properties, also one named __proto__
    body: decoded ?? wire.body,
    fault: decoded === null ? 'not-base64' : null,
    receivedAt,
  };
}

interface WireMessage {
  readonly messageId: string | null;
  readonly topic: string | null;
  readonly generateTime: string | null;
  readonly properties: readonly (readonly [string, string])[];
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

const headerFields = ['durable', 'priority', 'ttl', 'first-acquirer', 'delivery-count'];
const propertyFields = [
  'message-id',
  'user-id',
  'to',
  'subject',
  'reply-to',
  'correlation-id',
  'content-type',
  'content-encoding',
  'absolute-expiry-time',
  'creation-time',
  'group-id',
  'group-sequence',
  'reply-to-group-id',
];

function readMessage(transfer: Buffer): WireMessage {
  const properties: [string, string][] = [];
  const body: Buffer[] = [];
  let ownId: string | null = null;
  let standardId: string | null = null;
  let topic: string | null = null;
  let generateTime: string | null = null;

  try {
    const reader = new WireReader(transfer);
    while (!reader.atEnd) {
      const part = reader.read();
      const name = part.kind === 'described' ? sections.get(textOf(part.descriptor) ?? '') : undefined;
      if (part.kind !== 'described' || name === undefined) throw new Error('not a section of a message');
      const { value } = part;
      switch (name) {
        case 'header':
        case 'properties': {
          const fields = name === 'header' ? headerFields : propertyFields;
          for (const [field, text] of namedFields(value, fields)) {
            properties.push([`${name}.${field}`, text]);
            if (name === 'properties' && field === 'message-id') standardId = text;
          }
          break;
        }
        case 'application-properties':
          for (const [key, item, text] of mapEntries(value)) {
            properties.push([key, text]);
            if (key === 'messageId') ownId = text;
            else if (key === 'topic') topic = item.kind === 'text' ? text : null;
            else if (key === 'generateTime') generateTime = text;
          }
          break;
        case 'annotations':
        case 'delivery-annotations':
        case 'footer':
          for (const [key, , text] of mapEntries(value)) properties.push([`${name}.${key}`, text]);
          break;
        case 'data':
        case 'sequence':
        case 'value':
          body.push(bytesOf(value));
          break;
        default:
          name satisfies never;
      }
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const unreadable = [['unreadable', `not an AMQP message: ${reason}`]] as const;
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

/** The exact bytes of strings and binaries, the text of anything else, nothing for null. */
function bytesOf(value: WireValue): Buffer {
  if (value.kind === 'text' || value.kind === 'binary') return value.bytes;
  return Buffer.from(textOf(value) ?? '', 'utf8');
}

function* namedFields(value: WireValue, names: readonly string[]): Generator<readonly [string, string]> {
  if (value.kind !== 'list') throw new Error('a section of fields is no list');
  for (const [index, item] of value.items.entries()) {
    const text = textOf(item);
    if (text !== null) yield [names[index] ?? `field-${index + 1}`, text];
  }
}

function* mapEntries(value: WireValue): Generator<readonly [string, WireValue, string]> {
  if (value.kind === 'null') return;
  if (value.kind !== 'map') throw new Error('a section of pairs is no map');
  for (const [key, item] of value.entries) {
    const text = textOf(item);
    if (text !== null) yield [textOf(key) ?? 'null', item, text];
  }
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
