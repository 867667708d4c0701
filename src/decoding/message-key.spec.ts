import { describe, expect, it } from '@jest/globals';
import { aMessage } from '../../test/support/messages.js';
import { messageKey } from './message-key.js';

describe('messageKey', () => {
  const message = aMessage({ messageId: '170000000000000001', topic: '/pk/dn/up', generateTime: '5', body: 'abc' });

  it('is 32 lower-case hexadecimal digits, the same for the same message whenever and however it comes', () => {
    const again = {
      ...message,
      receivedAt: new Date(0),
      transport: 'stomp',
      generateTime: '6',
      properties: { a: 'b' },
    };
    expect(messageKey(message)).toMatch(/^[0-9a-f]{32}$/);
    expect(messageKey(again)).toBe(messageKey(message));
  });

  it.each([
    ['another id', { messageId: '170000000000000002' }],
    ['another topic', { topic: '/pk/dn/up2' }],
    ['no topic', { topic: null }],
    ['another body', { body: Buffer.from('abd') }],
    ['no id, but a generateTime', { messageId: null }],
    ['parts cut elsewhere', { messageId: '17000000000000000', topic: '1/pk/dn/up' }],
    ['topic bytes in the body', { topic: '/pk/dn', body: Buffer.from('/upabc') }],
  ])('differs with %s', (_, change) => {
    expect(messageKey({ ...message, ...change })).not.toBe(messageKey(message));
  });

  it('takes generateTime where there is no id', () => {
    const nameless = { ...message, messageId: null };
    expect(messageKey({ ...nameless, generateTime: '6' })).not.toBe(messageKey(nameless));
    expect(messageKey({ ...nameless, generateTime: null })).not.toBe(messageKey(nameless));
  });

  it('tells an empty topic from none', () => {
    expect(messageKey({ ...message, topic: '' })).not.toBe(messageKey({ ...message, topic: null }));
  });
});
