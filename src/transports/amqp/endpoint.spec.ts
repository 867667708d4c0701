import { describe, expect, it } from '@jest/globals';
import { endpointOf } from './endpoint.js';

describe('the address of the platform', () => {
  it.each([
    [
      'amqps://ilop.iot-amqp.cn-shanghai.aliyuncs.com:5671',
      { tls: true, host: 'ilop.iot-amqp.cn-shanghai.aliyuncs.com', port: 5671 },
    ],
    ['amqps://platform.example', { tls: true, host: 'platform.example', port: 5671 }],
    ['amqp://127.0.0.1', { tls: false, host: '127.0.0.1', port: 5672 }],
    ['amqp://[::1]:9999', { tls: false, host: '::1', port: 9999, peer: '[::1]:9999' }],
  ])('may be %s', (url, endpoint) => {
    expect(endpointOf(url)).toMatchObject(endpoint);
  });

  it('is shown without credentials that somebody put there', () => {
    expect(endpointOf('amqps://user:secret@host').peer).toBe('host:5671');
  });

  it.each([
    ['mqtt://host', /must start with amqps:\/\/ or amqp:\/\//],
    ['no address', /is not a URL/],
    ['amqps://', /names no host|is not a URL/],
  ])('may not be %s', (url, message) => {
    expect(() => endpointOf(url)).toThrow(message);
  });
});
