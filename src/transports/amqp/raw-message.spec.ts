import { describe, expect, it } from '@jest/globals';
import rhea from 'rhea';
import type { RawMessage } from '../../domain/raw-message.js';
import { rawMessage } from './raw-message.js';

const receivedAt = new Date('2024-01-02T03:04:05Z');
const { types } = rhea;

/** What rhea, playing the platform, puts on the wire for a message; then what we make of it. */
function heard(message: Record<string, unknown>, encode?: 'base64'): RawMessage {
  return rawMessage(rhea.message.encode({ body: Buffer.from('{}'), ...message }), {
    encode,
    receivedAt,
  });
}

function withProperties(application_properties: Record<string, unknown>): RawMessage {
  return heard({ application_properties });
}

describe('a message of the platform', () => {
  it('becomes a raw message with everything that came with it', () => {
    const message = heard({
      message_id: '1719000000000000001',
      content_type: 'application/json',
      durable: true,
      message_annotations: { 'x-opt-queue': 'q' },
      application_properties: {
        topic: '/a1/lock-1/thing/event/property/post',
        messageId: '1719000000000000001',
        generateTime: types.wrap_long(1700000000000),
        qos: 1,
      },
      body: rhea.message.data_section(Buffer.from('{"a":1}')),
    });
    expect(message).toEqual({
      transport: 'amqp',
      messageId: '1719000000000000001',
      topic: '/a1/lock-1/thing/event/property/post',
      generateTime: '1700000000000',
      properties: {
        'header.durable': 'true',
        'annotations.x-opt-queue': 'q',
        'properties.message-id': '1719000000000000001',
        'properties.content-type': 'application/json',
        topic: '/a1/lock-1/thing/event/property/post',
        messageId: '1719000000000000001',
        generateTime: '1700000000000',
        qos: '1',
      },
      body: Buffer.from('{"a":1}'),
      fault: null,
      receivedAt,
    });
  });

  it.each([
    ['one data section', rhea.message.data_section(Buffer.from('{"a":1}')), '{"a":1}'],
    ['several data sections', rhea.message.data_sections([Buffer.from('{"a'), Buffer.from('":1}')]), '{"a":1}'],
    ['an empty data section', rhea.message.data_section(Buffer.alloc(0)), ''],
    ['a string', '{"é":1}', '{"é":1}'],
    ['a long string', 'x'.repeat(70_000), 'x'.repeat(70_000)],
    ['a binary value', Buffer.from('{"a":1}'), '{"a":1}'],
    ['null', null, ''],
    ['a number', 7, '7'],
    ['a truth value', true, 'true'],
    ['a list', ['a', 1], '["a","1"]'],
    ['a map', { a: 1 }, '[["a","1"]]'],
    ['a sequence', rhea.message.sequence_section(['a', 'b']), '["a","b"]'],
  ])('may have %s as its body', (_, body, expected) => {
    expect(heard({ body }).body.toString()).toBe(expected);
  });

  it('keeps bytes that are no text', () => {
    const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x80]);
    expect(heard({ body: rhea.message.data_section(bytes) }).body).toEqual(bytes);
  });

  it.each([
    ['text', '1719000000000000001', '1719000000000000001'],
    ['a small ulong', types.wrap_ulong(7), '7'],
    ['a ulong', types.wrap_ulong(1700000000000), '1700000000000'],
    ['a ulong just above 2^53', ulong(9007199254740993n), '9007199254740993'],
    ['a ulong of 18 digits', ulong(171900000000000001n), '171900000000000001'],
    ['the largest ulong', ulong(18446744073709551615n), '18446744073709551615'],
    [
      'a UUID',
      types.wrap_uuid(Buffer.from('0123456789abcdef0123456789abcdef', 'hex')),
      '01234567-89ab-cdef-0123-456789abcdef',
    ],
    ['binary that is text', types.wrap_binary(Buffer.from('id-1')), 'id-1'],
    ['binary that is no text', types.wrap_binary(Buffer.from([0xff, 1])), 'ff01'],
  ])('may carry its id as %s, and no digit is lost', (_, message_id, expected) => {
    expect(heard({ message_id }).messageId).toBe(expected);
    expect(withProperties({ messageId: message_id }).messageId).toBe(expected);
  });

  it('is known by the application property messageId before properties.message-id', () => {
    expect(heard({ message_id: 'outer', application_properties: { messageId: 'inner' } }).messageId).toBe('inner');
    expect(heard({ message_id: 'outer', application_properties: { messageId: '' } }).messageId).toBe('outer');
    expect(heard({}).messageId).toBeNull();
  });

  it.each([
    ['a long', types.wrap_long(1700000000000), '1700000000000'],
    ['a negative long', types.wrap_long(-5), '-5'],
    ['a long beyond 2^53', types.wrap_long(int64(-9007199254740993n)), '-9007199254740993'],
    ['the smallest long', types.wrap_long(int64(-9223372036854775808n)), '-9223372036854775808'],
    ['text', '1700000000000', '1700000000000'],
    ['a timestamp', types.wrap_timestamp(1700000000000), '1700000000000'],
    ['a double', types.wrap_double(1.5), '1.5'],
    ['null', null, null],
  ])('may carry its time as %s', (_, generateTime, expected) => {
    expect(withProperties({ generateTime }).generateTime).toBe(expected);
  });

  it.each([
    ['a number', 7],
    ['a list', ['/a/b/c']],
    ['binary', Buffer.from('/a/b/c')],
    ['null', null],
    ['empty', ''],
  ])('has no topic when that is %s', (_, topic) => {
    expect(withProperties({ topic }).topic).toBeNull();
  });

  it('may have its topic as a symbol', () => {
    expect(withProperties({ topic: types.wrap_symbol('/a/b/c') }).topic).toBe('/a/b/c');
  });

  it('may have an array for its fields and a list for a property', () => {
    const properties = '005373 e00602a1 0161 0162';
    const applicationProperties = '005374 c10a02 a10171 c00401a10162';
    const bytes = Buffer.from((properties + applicationProperties).replaceAll(' ', ''), 'hex');
    expect(rawMessage(bytes, { encode: undefined, receivedAt })).toMatchObject({
      messageId: 'a',
      properties: { 'properties.message-id': 'a', 'properties.user-id': 'b', q: '["b"]' },
    });
  });

  it('may name a property __proto__', () => {
    const properties = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, unknown>;
    expect(Object.entries(withProperties(properties).properties)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});

describe('Base64', () => {
  const encoded = Buffer.from('{"a":1}').toString('base64');
  const body = (text: string): Record<string, unknown> => ({ body: rhea.message.data_section(Buffer.from(text)) });

  it('is decoded when it was asked for', () => {
    expect(heard(body(encoded), 'base64')).toMatchObject({ body: Buffer.from('{"a":1}'), fault: null });
  });

  it('is never guessed', () => {
    expect(heard(body(encoded)).body.toString()).toBe(encoded);
  });

  it('may be broken into lines', () => {
    const long = Buffer.alloc(100, 7);
    expect(heard(body(long.toString('base64').replace(/.{76}/, '$&\r\n')), 'base64').body).toEqual(long);
  });

  it.each([
    ['plain JSON', '{"a":1}'],
    ['without its padding', 'YQ'],
    ['in the alphabet for URLs', '-_-_'],
    ['with bits left over', 'YR=='],
    ['with something behind it', 'YQ==YQ=='],
    ['with a space', 'YW Jj'],
  ])('that is %s leaves the bytes as they are and says so', (_, text) => {
    expect(heard(body(text), 'base64')).toMatchObject({ body: Buffer.from(text), fault: 'not-base64' });
  });
});

describe('bytes that are no AMQP message', () => {
  const good = rhea.message.encode({ application_properties: { topic: '/a/b/c' }, body: 'x' });

  it.each([
    ['garbage', Buffer.from('{"not":"amqp"}')],
    ['cut short', good.subarray(0, good.length - 1)],
    ['with more behind them', Buffer.concat([good, Buffer.from([0x01])])],
    ['a section that does not exist', Buffer.from([0x00, 0x53, 0x01, 0x40])],
    ['a value without a section', Buffer.from([0x40])],
    ['a list that claims four billion elements', Buffer.from('005377d0ffffffffffffffff', 'hex')],
    ['an array that claims four billion nulls', Buffer.from('005377f0ffffffffffffffff40', 'hex')],
    ['a map with half an entry', Buffer.from('005374c1030140', 'hex')],
    ['lists in lists without end', Buffer.concat([Buffer.from('005377', 'hex'), ...nested(10_000)])],
    ['descriptors without end', Buffer.alloc(100_000, 0)],
    ['properties that are no list', Buffer.from('005373a10161', 'hex')],
  ])('(%s) become a message that keeps them and will be set aside', (_, bytes) => {
    const message = rawMessage(bytes, { encode: undefined, receivedAt });
    expect(message).toMatchObject({ body: bytes, messageId: null, topic: null });
    expect(message.properties.unreadable).toMatch(/^not an AMQP message: /);
  });

  it('may be none at all', () => {
    expect(rawMessage(Buffer.alloc(0), { encode: undefined, receivedAt }).body).toHaveLength(0);
  });
});

function ulong(value: bigint): unknown {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return types.wrap_ulong(bytes);
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

function nested(depth: number): Buffer[] {
  return Array.from({ length: depth }, () => Buffer.from('d00000000100000001', 'hex'));
}
