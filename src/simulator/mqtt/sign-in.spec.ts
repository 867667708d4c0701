import { describe, expect, it } from '@jest/globals';
import { aProduct } from '../../../test/support/simulated-device.js';
import { Device } from '../devices/device.js';
import { Registry } from '../devices/registry.js';
import { checkSignIn, signedContent, type Claim } from './sign-in.js';

function aRegistry(): Registry {
  const registry = new Registry();
  const add = (productKey: string, deviceName: string, deviceSecret: string): void =>
    registry.add(
      new Device({
        product: aProduct({ productKey }),
        deviceName,
        deviceSecret,
        iotId: 'iot-1',
        createdAt: 1_700_000_000_000,
      }),
    );
  add('h9DemoMqtt7', 'esp32-001', 'demoDeviceSecret-0042');
  add('pk', 'device', 'secret');
  return registry;
}

// printf 'clientIdboiler-clientdeviceNameesp32-001productKeyh9DemoMqtt7timestamp1700000000000' | openssl dgst -sha1 -hmac …
const PASSWORDS = {
  hmacmd5: '4961054053008e50b9d5dbb66331cdf6',
  hmacsha1: '643ef125e06fecaba543434492e30489bf5421d3',
  hmacsha256: '44b9cc34d5938cec9d33ae1c74af3a665b8c67175847c90f62d2e3ab9db92022',
};

function aClaim(changes: Partial<Omit<Claim, 'password'>> & { readonly password?: string } = {}): Claim {
  const { password = PASSWORDS.hmacsha1, ...rest } = changes;
  return {
    clientId: 'boiler-client|securemode=3,signmethod=hmacsha1,timestamp=1700000000000|',
    userName: 'esp32-001&h9DemoMqtt7',
    password: Buffer.from(password),
    keepAliveSeconds: 60,
    tls: false,
    ...rest,
  };
}

const check = (claim: Claim): string => {
  const verdict = checkSignIn(claim, aRegistry());
  return 'device' in verdict ? verdict.device.key : `${verdict.code} ${verdict.refused}`;
};

describe('checkSignIn', () => {
  it.each(Object.entries(PASSWORDS))('lets a device in with %s', (method, password) => {
    const clientId = `boiler-client|securemode=3,signmethod=${method},timestamp=1700000000000|`;
    expect(check(aClaim({ clientId, password }))).toBe('h9DemoMqtt7:esp32-001');
  });

  it('takes the example that the platform publishes, in upper case', () => {
    const claim = aClaim({
      clientId: '12345|securemode=3,signmethod=hmacsha1,timestamp=789|',
      userName: 'device&pk',
      password: 'FAFD82A3D602B37FB0FA8B7892F24A477F851A14',
    });
    expect(check(claim)).toBe('pk:device');
  });

  it('signs no timestamp where none is given, and takes HMAC-MD5 where no method is', () => {
    expect(signedContent('a', 'b', 'c', null)).toBe('clientIdadeviceNamebproductKeyc');
    const sha256 = '0495908b5eee93a3479dec64e4b4b14ea2660bc3738c77b84497e507a7837bff';
    expect(check(aClaim({ clientId: 'boiler-client|securemode=3,signmethod=hmacsha256|', password: sha256 }))).toBe(
      'h9DemoMqtt7:esp32-001',
    );
    const md5 = '452515aef77fdbd8868e18601c61e002';
    expect(check(aClaim({ clientId: 'boiler-client|securemode=3|', password: md5 }))).toBe('h9DemoMqtt7:esp32-001');
  });

  it('does not mind further parameters, any order, and a comma at the end', () => {
    const clientId = 'boiler-client|timestamp=1700000000000,_ss=1,_v=sdk-c-4,signmethod=hmacsha1,securemode=3,ext=3,|';
    expect(check(aClaim({ clientId }))).toBe('h9DemoMqtt7:esp32-001');
  });

  it('wants securemode 2 over TLS', () => {
    const clientId = 'boiler-client|securemode=2,signmethod=hmacsha1,timestamp=1700000000000|';
    expect(check(aClaim({ clientId, tls: true }))).toBe('h9DemoMqtt7:esp32-001');
  });

  const mode = (params: string): string => `boiler-client|${params}|`;
  it.each<[string, Parameters<typeof aClaim>[0], RegExp]>([
    ['no user name', { userName: null }, /^4 userName/],
    ['a user name the wrong way round', { userName: 'h9DemoMqtt7&esp32-001' }, /^5 no such device/],
    ['a user name without &', { userName: 'esp32-001' }, /^4 userName/],
    ['a plain client id', { clientId: 'boiler-client' }, /^4 clientId/],
    ['an open parameter list', { clientId: 'boiler-client|securemode=3' }, /^4 clientId/],
    ['an empty id', { clientId: '|securemode=3|' }, /0 characters/],
    ['an id of 65 characters', { clientId: `${'x'.repeat(65)}|securemode=3|` }, /65 characters/],
    ['no securemode', { clientId: mode('signmethod=hmacsha1') }, /^5 securemode \(none\)/],
    ['one secret for a whole product', { clientId: mode('securemode=-2') }, /^5 securemode "-2"/],
    ['securemode 3 over TLS', { tls: true }, /^5 securemode=3 over TLS/],
    ['securemode 2 over plain TCP', { clientId: mode('securemode=2') }, /^5 securemode=2 over plain TCP/],
    ['an unknown digest', { clientId: mode('securemode=3,signmethod=sha1') }, /^4 signmethod "sha1"/],
    ['a keep-alive of 29 s', { keepAliveSeconds: 29 }, /^5 keep-alive of 29 s/],
    ['no keep-alive', { keepAliveSeconds: 0 }, /^5 keep-alive of 0 s/],
    ['a keep-alive of 1,201 s', { keepAliveSeconds: 1_201 }, /^5 keep-alive of 1201 s/],
    ['an unknown device', { userName: 'esp32-009&h9DemoMqtt7' }, /^5 no such device/],
    ['another digest than it names', { password: PASSWORDS.hmacmd5 }, /^4 password/],
    ['Base64 instead of hex', { password: 'ZD7xJeBv7KulQ0NEkuMEib9UIdM=' }, /^4 password/],
    ['no password', { password: '' }, /^4 password/],
  ])('refuses %s', (_, changes, expected) => {
    expect(check(aClaim(changes))).toMatch(expected);
  });

  it('refuses a disabled device, and tells so only to whoever knows its secret', () => {
    const registry = aRegistry();
    registry.device('h9DemoMqtt7', 'esp32-001')!.disabled = true;
    expect(checkSignIn(aClaim(), registry)).toMatchObject({ code: 5, refused: 'the device is disabled' });
    expect(checkSignIn(aClaim({ password: 'ff' }), registry)).toMatchObject({ code: 4 });
  });

  it('never shows a secret or a password', () => {
    const verdict = JSON.stringify(checkSignIn(aClaim({ password: PASSWORDS.hmacmd5 }), aRegistry()));
    expect(verdict).not.toContain('demoDeviceSecret');
    expect(verdict).not.toContain(PASSWORDS.hmacmd5);
  });
});
