import { describe, expect, it } from '@jest/globals';
import { checkCredentials, claimedGroup, sign } from './credentials.js';
import type { Accounts } from './tenants.js';

// The secrets, strings and passwords are the test vectors of protocol 1.5.
const APP_SECRET = 'demoAppSecret-7f3a';
const KEY_SECRET = 'demoAccessKeySecret-9c1d';
const STS_SECRET = 'demoStsSecret-42';
const HEX = 'cdd7b3f8c3dda8be1d170bf7875307b94587456234ae7d8df1d82d9ba6d788a8';
const MD5 = 'TkNE/dHHijJMuCgBY7DsyQ==';
const SHA1 = 'QMI3/6gj+GjAlg+D1ja9VobSRjU=';
const SHA256 = 'RsjZACdW5FKVR/O8xT3u4Byy1hXq2y6+Ms+JQADP6PE=';
const STS = 'qfyaYH9Kp95M3eJ59E1nZLUSqe0=';
const SIGNED_AT = 1_700_000_000_000;

const accounts: Accounts = {
  apps: [{ appKey: '90001234', appSecret: APP_SECRET }],
  instances: [
    {
      instanceId: 'iot-demo0001',
      accessKeys: [
        { accessKeyId: 'demoAccessKeyId01', accessKeySecret: KEY_SECRET },
        {
          accessKeyId: 'STS.demoKeyId02',
          accessKeySecret: STS_SECRET,
          securityToken: 'CAISdemo+token/01==',
          expiresAt: SIGNED_AT + 3_600_000,
        },
        { accessKeyId: 'noPermission01', accessKeySecret: KEY_SECRET, mayConsume: false },
      ],
      consumerGroupIds: ['demoGroup000100'],
    },
    {
      instanceId: 'iot-other02',
      accessKeys: [{ accessKeyId: 'otherKeyId', accessKeySecret: KEY_SECRET }],
      consumerGroupIds: ['otherGroup000200'],
    },
    { instanceId: '', accessKeys: [{ accessKeyId: 'legacyKeyId', accessKeySecret: KEY_SECRET }], consumerGroupIds: [] },
  ],
  freshnessWindowMs: null,
};

const living = 'authMode=appkey,signMethod=SHA256,random=1700000000000,appKey=90001234,groupId=90001234';
const aksign =
  'authMode=aksign,signMethod=hmacsha1,timestamp=1700000000000,authId=demoAccessKeyId01,iotInstanceId=iot-demo0001,consumerGroupId=DEFAULT_GROUP';
const ststoken =
  'authMode=ststoken,securityToken=CAISdemo+token/01==,signMethod=hmacsha1,timestamp=1700000000000,authId=STS.demoKeyId02,iotInstanceId=iot-demo0001,consumerGroupId=demoGroup000100';
const legacy =
  'authMode=aksign,signMethod=hmacsha1,timestamp=1700000000000,authId=legacyKeyId,consumerGroupId=DEFAULT_GROUP';
const legacyPassword = sign({ authId: 'legacyKeyId', timestamp: '1700000000000' }, KEY_SECRET, 'sha1', 'base64');

const tokenFirst = ststoken.replace(
  'authMode=ststoken,securityToken=CAISdemo+token/01==',
  'securityToken=CAISdemo+token/01==,authMode=ststoken',
);
const signedRandom = (random: string): [string, string, string] => [
  `a|${living.replace('random=1700000000000', `random=${random}`)}|`,
  sign({ random }, APP_SECRET, 'sha256', 'hex'),
  'living/90001234 as a',
];
const [hugeRandom, hugeRandomPassword] = signedRandom('92233720368547758070');
const unpermitted = aksign.replace('demoAccessKeyId01', 'noPermission01');
const unpermittedPassword = sign(
  { authId: 'noPermission01', timestamp: '1700000000000' },
  KEY_SECRET,
  'sha1',
  'base64',
);

const check = (userName: string, password: string, rules: Accounts = accounts, now = SIGNED_AT): string => {
  const verdict = checkCredentials(userName, password, rules, now);
  return 'login' in verdict ? `${verdict.login.group} as ${verdict.login.clientId}` : `refused: ${verdict.refused}`;
};

describe('signing in', () => {
  it.each([
    ['Living', `lobby-01|${living}|`, HEX, 'living/90001234 as lobby-01'],
    ['hmacmd5', `a|${aksign.replace('hmacsha1', 'hmacmd5')}|`, MD5, 'enterprise/iot-demo0001/DEFAULT_GROUP as a'],
    ['hmacsha1', `a|${aksign}|`, SHA1, 'enterprise/iot-demo0001/DEFAULT_GROUP as a'],
    [
      'hmacsha256',
      `a|${aksign.replace('hmacsha1', 'hmacsha256')}|`,
      SHA256,
      'enterprise/iot-demo0001/DEFAULT_GROUP as a',
    ],
    ['a security token', `b|${ststoken}|`, STS, 'enterprise/iot-demo0001/demoGroup000100 as b'],
    [
      'a named group',
      `a|${aksign.replace('DEFAULT_GROUP', 'demoGroup000100')}|`,
      SHA1,
      'enterprise/iot-demo0001/demoGroup000100 as a',
    ],
    [
      'parameters in another order',
      `a|${aksign.split(',').reverse().join(',')}|`,
      SHA1,
      'enterprise/iot-demo0001/DEFAULT_GROUP as a',
    ],
    ['an unknown parameter', `a|${living},colour=blue|`, HEX, 'living/90001234 as a'],
    ['64 characters of clientId', `${'c'.repeat(64)}|${living}|`, HEX, `living/90001234 as ${'c'.repeat(64)}`],
    [
      '64 characters beyond the basic plane',
      `${'🔔'.repeat(64)}|${living}|`,
      HEX,
      `living/90001234 as ${'🔔'.repeat(64)}`,
    ],
    ['a negative random', ...signedRandom('-5')],
    ['the largest long as random', ...signedRandom('9223372036854775807')],
    ['an empty parameter that nobody knows', `a|${living},note=|`, HEX, 'living/90001234 as a'],
    [
      'the equals signs of a token, the token first',
      `b|${tokenFirst}|`,
      STS,
      'enterprise/iot-demo0001/demoGroup000100 as b',
    ],
    ['no instance on a legacy instance', `a|${legacy}|`, legacyPassword, 'enterprise//DEFAULT_GROUP as a'],
    [
      'an empty instance on a legacy instance',
      `a|${legacy},iotInstanceId=|`,
      legacyPassword,
      'enterprise//DEFAULT_GROUP as a',
    ],
  ])('lets in with %s', (_, userName, password, expected) => {
    expect(check(userName, password)).toBe(expected);
  });

  it.each([
    ['Base64 where hex is asked', `a|${living}|`, Buffer.from(HEX, 'hex').toString('base64'), /base64 where hex/],
    ['hex where Base64 is asked', `a|${aksign}|`, Buffer.from(SHA1, 'base64').toString('hex'), /hex where base64/],
    ['upper-case hex', `a|${living}|`, HEX.toUpperCase(), /wrong password/],
    ['another signMethod than signed with', `a|${aksign}|`, SHA256, /wrong password/],
    ['an empty password', `a|${living}|`, '', /wrong password/],
    ['another random than signed', `a|${living.replace('random=17', 'random=18')}|`, HEX, /wrong password/],
    ['an unknown appKey', `a|${living.replace(/90001234/g, '1')}|`, HEX, /unknown appKey/],
    ['a groupId that is not the appKey', `a|${living.replace('groupId=90001234', 'groupId=9')}|`, HEX, /groupId/],
    ['a wrong Living signMethod', `a|${living.replace('SHA256', 'hmacsha256')}|`, HEX, /signMethod/],
    ['a random that is no number', `a|${living.replace('1700000000000', 'now')}|`, HEX, /random/],
    ['a missing instance', `a|${aksign.replace('iotInstanceId=iot-demo0001,', '')}|`, SHA1, /authId|iotInstanceId/],
    ['an empty instance', `a|${aksign.replace('=iot-demo0001', '=')}|`, SHA1, /unknown|iotInstanceId/],
    [
      'a missing timestamp with the password of another',
      `a|${aksign.replace('timestamp=1700000000000', 'timestamp=')}|`,
      SHA1,
      /timestamp/,
    ],
    ['a token cut at its equals signs', `a|${ststoken.replace('01==', '01')}|`, STS, /wrong securityToken/],
    ['a token of a key that is not temporary', `a|${aksign.replace('aksign', 'ststoken')}|`, SHA1, /unknown authId/],
    ['66 characters of which one is a bar', `${'c'.repeat(32)}|${'c'.repeat(33)}|${living}|`, HEX, /malformed/],
    ['text after the closing bar', `a|${living}|x`, HEX, /malformed/],
    ['65 characters beyond the basic plane', `${'🔔'.repeat(65)}|${living}|`, HEX, /clientId/],
    ['a random beyond a long', hugeRandom, hugeRandomPassword, /random/],
    ['a wrong instance', `a|${aksign.replace('demo0001', 'other')}|`, SHA1, /unknown instance/],
    ['a key of another instance', `a|${aksign.replace('iot-demo0001', 'iot-other02')}|`, SHA1, /unknown authId/],
    [
      'the group of another instance',
      `a|${aksign.replace('DEFAULT_GROUP', 'otherGroup000200')}|`,
      SHA1,
      /belongs to another instance/,
    ],
    ['a key without the permission', `a|${unpermitted}|`, unpermittedPassword, /no permission iot:sub/],
    ['a key without the permission and a wrong password', `a|${unpermitted}|`, SHA1, /wrong password/],
    ['an unknown group', `a|${aksign.replace('DEFAULT_GROUP', 'somebodyElses')}|`, SHA1, /unknown consumer group/],
    ['a missing group', `a|${aksign.replace(',consumerGroupId=DEFAULT_GROUP', '')}|`, SHA1, /unknown consumer group/],
    ['an unknown key', `a|${aksign.replace('KeyId01', 'KeyId09')}|`, SHA1, /unknown authId/],
    ['a temporary key without its token', `a|${ststoken.replace('ststoken', 'aksign')}|`, STS, /unknown authId/],
    ['another token', `a|${ststoken.replace('01==', '02==')}|`, STS, /wrong securityToken/],
    ['an Enterprise signMethod of Living', `a|${aksign.replace('hmacsha1', 'SHA256')}|`, SHA1, /signMethod/],
    ['no timestamp', `a|${aksign.replace('timestamp=1700000000000,', '')}|`, SHA1, /timestamp/],
    ['an unknown encode', `a|${aksign},encode=gzip|`, SHA1, /encode/],
    ['an unknown authMode', `a|${aksign.replace('aksign', 'plain')}|`, SHA1, /unknown authMode/],
    ['no authMode', 'a|signMethod=SHA256|', HEX, /no authMode/],
    ['no parameters', 'admin', 'admin', /malformed/],
    ['no closing bar', `a|${living}`, HEX, /malformed/],
    ['no clientId', `|${living}|`, HEX, /clientId/],
    ['65 characters of clientId', `${'c'.repeat(65)}|${living}|`, HEX, /clientId/],
    ['a comma in the clientId', `a,b|${living}|`, HEX, /clientId/],
    ['a parameter without a value', `a|${living},lonely|`, HEX, /key=value/],
    ['a parameter given twice', `a|${living},appKey=1|`, HEX, /twice/],
    ['nothing at all', '', '', /malformed/],
  ])('refuses %s', (_, userName, password, reason) => {
    expect(check(userName, password)).toMatch(reason);
    expect(check(userName, password)).toMatch(/^refused/);
  });

  it.each([
    ['within the window', 899_000, /^enterprise/],
    ['too old', 901_000, /stale/],
    ['too far ahead', -901_000, /stale/],
  ])('judges a timestamp %s when told to', (_, later, expected) => {
    expect(check(`a|${aksign}|`, SHA1, { ...accounts, freshnessWindowMs: 900_000 }, SIGNED_AT + later)).toMatch(
      expected,
    );
  });

  it('judges the random of a Living client only when told to', () => {
    const later = SIGNED_AT + 901_000;
    const fresh = { ...accounts, freshnessWindowMs: 900_000, freshRandom: true };
    expect(check(`a|${living}|`, HEX, { ...fresh, freshRandom: false }, later)).toMatch(/^living/);
    expect(check(`a|${living}|`, HEX, { ...fresh, freshnessWindowMs: null }, later)).toMatch(/^living/);
    expect(check(`a|${living}|`, HEX, fresh, later)).toMatch(/random is stale/);
    expect(check(`a|${living}|`, HEX, fresh, later - 2_000)).toMatch(/^living/);
  });

  it('ends with a temporary credential', () => {
    expect(check(`b|${ststoken}|`, STS, accounts, SIGNED_AT + 3_599_999)).toMatch(/^enterprise/);
    expect(check(`b|${ststoken}|`, STS, accounts, SIGNED_AT + 3_600_000)).toMatch(/has expired/);
  });

  it.each([
    [`a|${living}|`, 'living/90001234'],
    [`a|${aksign}|`, 'enterprise/iot-demo0001/DEFAULT_GROUP'],
    [`a|${legacy}|`, 'enterprise//DEFAULT_GROUP'],
    [`a|${aksign.replace('DEFAULT_GROUP', 'otherGroup000200')}|`, null],
    [`a|${living.replace('appKey=90001234', 'appKey=9')}|`, null],
    ['admin', null],
  ])('knows whose group %s asks for before it looks at the password', (userName, group) => {
    expect(claimedGroup(userName, accounts)).toBe(group);
  });

  it('never tells a secret, a password or a token in its reasons', () => {
    const reasons = [
      check(`a|${living}|`, 'hunter2'),
      check(`a|${aksign}|`, 'hunter2'),
      check(`a|${ststoken}|`, 'hunter2'),
      check(`a|${ststoken.replace('01==', 'hunter2')}|`, STS),
    ].join();
    for (const secret of ['hunter2', APP_SECRET, KEY_SECRET, STS_SECRET, 'CAISdemo'])
      expect(reasons).not.toContain(secret);
  });

  it('hears the wish for Base64 bodies', () => {
    expect(checkCredentials(`a|${aksign},encode=base64|`, SHA1, accounts, SIGNED_AT)).toMatchObject({
      login: { base64: true, flavour: 'enterprise' },
    });
  });
});
