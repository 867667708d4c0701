import { describe, expect, it } from '@jest/globals';
import { cleanClientId, signIn, type SignInSettings } from './credentials.js';

const now = 1700000000000;

const living: SignInSettings = {
  amqpAuthMode: 'appkey',
  amqpAppKey: '90001234',
  amqpAppSecret: 'demoAppSecret-7f3a',
  amqpClientId: 'lobby-01',
};
const enterprise: SignInSettings = {
  amqpAuthMode: 'aksign',
  amqpAccessKeyId: 'demoAccessKeyId01',
  amqpAccessKeySecret: 'demoAccessKeySecret-9c1d',
  amqpIotInstanceId: 'iot-demo0001',
  amqpConsumerGroupId: 'DEFAULT_GROUP',
  amqpSignMethod: 'hmacsha1',
  amqpClientId: 'worker-a',
};
const sts: SignInSettings = {
  ...enterprise,
  amqpAuthMode: 'ststoken',
  amqpAccessKeyId: 'STS.demoKeyId02',
  amqpAccessKeySecret: 'demoStsSecret-42',
  amqpSecurityToken: 'CAISdemo+token/01==',
  amqpConsumerGroupId: 'demoGroup000100',
  amqpClientId: 'worker-b',
};

describe('signing in', () => {
  it.each([
    ['appkey', living, 'cdd7b3f8c3dda8be1d170bf7875307b94587456234ae7d8df1d82d9ba6d788a8'],
    ['aksign with MD5', { ...enterprise, amqpSignMethod: 'hmacmd5' as const }, 'TkNE/dHHijJMuCgBY7DsyQ=='],
    ['aksign with SHA-1', enterprise, 'QMI3/6gj+GjAlg+D1ja9VobSRjU='],
    [
      'aksign with SHA-256',
      { ...enterprise, amqpSignMethod: 'hmacsha256' as const },
      'RsjZACdW5FKVR/O8xT3u4Byy1hXq2y6+Ms+JQADP6PE=',
    ],
    ['aksign by default', { ...enterprise, amqpSignMethod: undefined }, 'RsjZACdW5FKVR/O8xT3u4Byy1hXq2y6+Ms+JQADP6PE='],
    ['ststoken', sts, 'qfyaYH9Kp95M3eJ59E1nZLUSqe0='],
  ])('makes the published password of %s', (_, settings, password) => {
    expect(signIn(settings, now, now)?.password).toBe(password);
  });

  it.each([
    [
      'appkey',
      living,
      'lobby-01|authMode=appkey,signMethod=SHA256,random=1700000000000,appKey=90001234,groupId=90001234|',
    ],
    [
      'aksign',
      enterprise,
      'worker-a|authMode=aksign,signMethod=hmacsha1,timestamp=1700000000000,authId=demoAccessKeyId01,iotInstanceId=iot-demo0001,consumerGroupId=DEFAULT_GROUP|',
    ],
    [
      'ststoken',
      sts,
      'worker-b|authMode=ststoken,securityToken=CAISdemo+token/01==,signMethod=hmacsha1,timestamp=1700000000000,authId=STS.demoKeyId02,iotInstanceId=iot-demo0001,consumerGroupId=demoGroup000100|',
    ],
    [
      'an instance without an id and the built-in group',
      { ...enterprise, amqpIotInstanceId: '', amqpConsumerGroupId: undefined },
      'worker-a|authMode=aksign,signMethod=hmacsha1,timestamp=1700000000000,authId=demoAccessKeyId01,consumerGroupId=DEFAULT_GROUP|',
    ],
  ])('writes the user name of %s by the grammar', (_, settings, username) => {
    expect(signIn(settings, now, now)?.username).toBe(username);
  });

  it.each([living, enterprise, sts])('asks for Base64 only when told to', (settings) => {
    expect(signIn(settings, now, now)?.username).not.toContain('encode');
    expect(signIn({ ...settings, amqpEncode: 'base64' }, now, now)?.username).toContain(',encode=base64|');
  });

  it('sends a plain user name and password as they are', () => {
    expect(signIn({ amqpAuthMode: 'plain', amqpUsername: 'jörg', amqpPassword: 'pa|ss' }, now, now)).toEqual({
      username: 'jörg',
      password: 'pa|ss',
    });
  });

  it('enters a plain broker anonymously when there is no user name', () => {
    expect(signIn({ amqpAuthMode: 'plain' }, now, now)).toBeNull();
  });

  it.each([
    ['AMQP_APP_KEY', { ...living, amqpAppKey: undefined }],
    ['AMQP_APP_SECRET', { ...living, amqpAppSecret: '' }],
    ['AMQP_ACCESS_KEY_ID', { ...enterprise, amqpAccessKeyId: undefined }],
    ['AMQP_ACCESS_KEY_SECRET', { ...sts, amqpAccessKeySecret: undefined }],
    ['AMQP_SECURITY_TOKEN', { ...sts, amqpSecurityToken: undefined }],
  ])('names the missing setting %s', (name, settings) => {
    expect(() => signIn(settings, now, now)).toThrow(`${name} is not set`);
  });
});

describe('the client id', () => {
  it.each([
    ['kept as it is', 'lobby-01', '', 'lobby-01'],
    ['without the separators of the grammar', 'a|b,c', '', 'a-b-c'],
    ['without spaces, controls and characters beyond ASCII', 'a b\tcafé', '', 'a-b-caf-'],
    ['cut to 64 characters', 'x'.repeat(80), '', 'x'.repeat(64)],
    ['cut to 64 characters with its suffix', 'x'.repeat(80), '-2', `${'x'.repeat(62)}-2`],
    ['never empty', '', '', 'living-mirror'],
  ])('is %s', (_, wanted, suffix, clean) => {
    expect(cleanClientId(wanted, suffix)).toBe(clean);
  });
});
