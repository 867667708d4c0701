import { describe, expect, it } from '@jest/globals';
import rhea from 'rhea';
import type { PlatformMessage } from '../platform/platform-message.js';
import { encodeMessage } from './encode-message.js';

// rhea's decoder has the last word on what the bytes mean.

interface Decoded {
  readonly message_id?: string;
  readonly application_properties?: Record<string, unknown>;
  readonly body: unknown;
}

const decode = (rhea.message as unknown as { decode(bytes: Buffer): Decoded }).decode;

function aMessage(changes: Partial<PlatformMessage> = {}): PlatformMessage {
  return {
    id: '170000000012300001',
    anonymous: false,
    topic: '/pk/dn/thing/event/property/post',
    body: Buffer.from('{"a":1}'),
    bodyForm: 'data',
    generateTime: 1_700_000_000_123,
    qos: 1,
    properties: {},
    tenant: null,
    publishedAt: 0,
    ...changes,
  };
}

describe('the encoding of a message', () => {
  it('is understood by rhea, types included', () => {
    expect(decode(encodeMessage(aMessage(), false))).toEqual({
      message_id: '170000000012300001',
      application_properties: {
        topic: '/pk/dn/thing/event/property/post',
        messageId: '170000000012300001',
        generateTime: 1_700_000_000_123,
        qos: 1,
      },
      body: { typecode: 0x75, content: Buffer.from('{"a":1}'), multiple: undefined },
    });
    const codes = encodeMessage(aMessage({ generateTime: 1, qos: 2 }), false).toString('latin1');
    expect(codes).toContain('\xa1\x0cgenerateTime\x81\0\0\0\0\0\0\0\x01');
    expect(codes).toContain('\xa1\x03qos\x71\0\0\0\x02');
  });

  it.each([0, 1, -1, -2, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 32 + 5, -(2 ** 32) - 5, Number.MAX_SAFE_INTEGER, 0.5])(
    'carries the number %d',
    (n) => {
      expect(decode(encodeMessage(aMessage({ properties: { n } }), false)).application_properties?.n).toBe(n);
    },
  );

  it('carries text of any length and other values; properties of the usual names win', () => {
    const properties = {
      ...{ topic: 'other', generateTime: 'soon', yes: true, no: false, nothing: null, empty: '' },
      ...{ long: 'ä'.repeat(128), longer: '漢'.repeat(70_000) },
    };
    const decoded = decode(encodeMessage(aMessage({ properties }), false)).application_properties;
    expect(decoded).toEqual({ ...properties, messageId: '170000000012300001', qos: 1 });
  });

  it('leaves out what the message does not have', () => {
    const bare = aMessage({ anonymous: true, topic: null, generateTime: null, qos: null });
    expect(decode(encodeMessage(bare, false))).toMatchObject({ application_properties: {} });
    expect(decode(encodeMessage(bare, false)).message_id).toBeUndefined();
  });

  it.each([0, 1, 255, 256, 70_000, 262_144])('carries a body of %d bytes in every form', (length) => {
    const body = Buffer.alloc(length, 'x');
    const of = (bodyForm: PlatformMessage['bodyForm']): unknown =>
      decode(encodeMessage(aMessage({ body, bodyForm }), false)).body;
    expect(of('data')).toMatchObject({ content: body });
    const middle = Math.ceil(length / 2);
    expect(of('several-data')).toMatchObject({ content: [body.subarray(0, middle), body.subarray(middle)] });
    expect(of('value-string')).toBe('x'.repeat(length));
    expect(of('value-binary')).toEqual(body);
  });

  it('is Base64 when asked for', () => {
    const { body } = decode(encodeMessage(aMessage({ body: Buffer.from([0, 255, 128]) }), true));
    expect(body).toMatchObject({ content: Buffer.from('AP+A') });
  });
});
