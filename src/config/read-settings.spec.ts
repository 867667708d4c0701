import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadSettings, type Environment, isLoopback, readSettings, VARIABLES } from './read-settings.js';

/** The least that a service needs. */
const LEAST: Environment = {
  DATABASE_URL: 'postgresql://user:password@db.example:5432/mirror',
  AMQP_URL: 'amqps://platform.example:5671',
  AMQP_APP_KEY: '90001234',
  AMQP_APP_SECRET: 'demo-secret',
};

function problemsOf(changes: Environment): Record<string, string> {
  try {
    readSettings({ ...LEAST, ...changes });
  } catch (error) {
    if (!(error instanceof BadSettings)) throw error;
    return Object.fromEntries(error.problems.map(({ variable, problem }) => [variable, problem]));
  }
  return {};
}

describe('settings', () => {
  it('have a default for everything that can have one', () => {
    expect(readSettings(LEAST)).toMatchObject({
      httpHost: '127.0.0.1',
      httpPort: 3000,
      httpAnonymous: false,
      amqpAuthMode: 'appkey',
      amqpSignMethod: 'hmacsha256',
      amqpConsumerGroupId: 'DEFAULT_GROUP',
      amqpAddress: 'default',
      amqpConnections: 1,
      amqpCredit: 500,
      amqpSilenceMinutes: 10,
      spoolMaxBytes: 1024 ** 3,
      spoolAfterSeconds: 5,
      bodyIdentity: 'topic',
      dedupeDays: 8,
      logLevel: 'info',
    });
    expect(readSettings(LEAST).retentionReadingsDays).toBeUndefined();
    expect(readSettings(LEAST).httpToken).toBeUndefined();
  });

  it('are numbers, truth values and words, whatever their case', () => {
    const settings = readSettings({
      ...LEAST,
      HTTP_PORT: '0',
      HTTP_ANONYMOUS: 'TRUE',
      RETENTION_READINGS_DAYS: '30',
      RETENTION_EVENTS_DAYS: 'keep',
      LOG_LEVEL: 'Debug',
    });
    expect(settings).toMatchObject({ httpPort: 0, httpAnonymous: true, retentionReadingsDays: 30, logLevel: 'debug' });
    expect(settings.retentionEventsDays).toBeUndefined();
  });

  it('give products a retention of their own', () => {
    const { productRetention } = readSettings({
      ...LEAST,
      RETENTION_PRODUCTS: 'a1B2c3D4e5F:readings=30:events=keep, a1Xy:readings=7',
    });
    expect([...productRetention]).toEqual([
      ['a1B2c3D4e5F', { readings: 30, events: null }],
      ['a1Xy', { readings: 7 }],
    ]);
    expect(readSettings(LEAST).productRetention.size).toBe(0);
  });

  it('pack readings thirty days after their month, at another time, or never', () => {
    expect(readSettings(LEAST).packReadingsAfterDays).toBe(30);
    expect(readSettings({ ...LEAST, PACK_READINGS_AFTER_DAYS: '90' }).packReadingsAfterDays).toBe(90);
    expect(readSettings({ ...LEAST, PACK_READINGS_AFTER_DAYS: 'never' }).packReadingsAfterDays).toBeUndefined();
  });

  it('name the replica after the client', () => {
    expect(readSettings({ ...LEAST, AMQP_CLIENT_ID: 'worker-7' }).replica).toBe('worker-7');
    expect(readSettings(LEAST).replica).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  });

  it('take an empty variable for one that is not set', () => {
    expect(readSettings({ ...LEAST, HTTP_PORT: '', HTTP_TOKEN: '  ' })).toMatchObject({ httpPort: 3000 });
    expect(problemsOf({ DATABASE_URL: '' })).toEqual({ DATABASE_URL: expect.stringContaining('must be set') });
  });

  it.each<[Environment, string, RegExp]>([
    [{ DATABASE_URL: undefined }, 'DATABASE_URL', /must be set/],
    [{ DATABASE_URL: 'mysql://db.example/mirror' }, 'DATABASE_URL', /postgresql:\/\//],
    [{ DATABASE_URL: 'postgresql://user:pa/ss#word@db.example:port/mirror' }, 'DATABASE_URL', /percent-encode/],
    [{ AMQP_URL: undefined }, 'AMQP_URL', /simulated devices never slip into a real database/],
    [{ AMQP_URL: 'https://platform.example' }, 'AMQP_URL', /amqps:\/\/host:5671/],
    [{ AMQP_URL: 'simulator' }, 'AMQP_URL', /npm start/],
    [{ AMQP_URL: 'amqps://me:secret@platform.example:5671' }, 'AMQP_URL', /no credentials/],
    [{ AMQP_URL: 'amqps://platform.example:5671/queue' }, 'AMQP_URL', /AMQP_ADDRESS/],
    [{ AMQP_URL: 'amqps://' }, 'AMQP_URL', /address|host/],
    [{ HTTP_PORT: '80x' }, 'HTTP_PORT', /"80x".*0 to 65535/],
    [{ HTTP_PORT: '65536' }, 'HTTP_PORT', /0 to 65535/],
    [{ HTTP_PORT: '-1' }, 'HTTP_PORT', /0 to 65535/],
    [{ HTTP_PORT: '80.5' }, 'HTTP_PORT', /0 to 65535/],
    [{ HTTP_ANONYMOUS: 'yes' }, 'HTTP_ANONYMOUS', /true or false/],
    [{ HTTP_TOKEN: 'two words' }, 'HTTP_TOKEN', /without blanks/],
    [{ HTTP_HOST: '0.0.0.0' }, 'HTTP_TOKEN', /HTTP_HOST.*HTTP_ANONYMOUS=true/],
    [{ AMQP_AUTH_MODE: 'oauth' }, 'AMQP_AUTH_MODE', /appkey, aksign, ststoken, plain/],
    [{ AMQP_APP_SECRET: undefined }, 'AMQP_APP_SECRET', /AMQP_AUTH_MODE is appkey/],
    [{ AMQP_APP_KEY: 'a,b' }, 'AMQP_APP_KEY', /no comma/],
    [{ AMQP_AUTH_MODE: 'aksign', AMQP_ACCESS_KEY_ID: 'x' }, 'AMQP_ACCESS_KEY_SECRET', /is aksign/],
    [{ AMQP_SIGN_METHOD: 'sha1' }, 'AMQP_SIGN_METHOD', /hmacmd5, hmacsha1, hmacsha256/],
    [{ AMQP_CLIENT_ID: 'a|b' }, 'AMQP_CLIENT_ID', /no \|/],
    [{ AMQP_CLIENT_ID: 'x'.repeat(65) }, 'AMQP_CLIENT_ID', /at most 64/],
    [{ AMQP_CA_FILE: '/does/not/exist.pem' }, 'AMQP_CA_FILE', /exist\.pem.*ENOENT/],
    [{ AMQP_ENCODE: 'hex' }, 'AMQP_ENCODE', /base64/],
    [{ AMQP_CONNECTIONS: '2' }, 'AMQP_CONNECTIONS', /must be 1 when AMQP_AUTH_MODE is appkey/],
    [{ AMQP_CONNECTIONS: '0' }, 'AMQP_CONNECTIONS', /1 to 64/],
    [{ AMQP_CREDIT: '1e3' }, 'AMQP_CREDIT', /1 to 10000/],
    [{ SPOOL_MAX_BYTES: '1GB' }, 'SPOOL_MAX_BYTES', /number of bytes, 1048576 \(1 MiB\) or more/],
    [{ SPOOL_AFTER_SECONDS: '25' }, 'SPOOL_AFTER_SECONDS', /1 to 20/],
    [{ AMQP_SILENCE_MINUTES: '1.5' }, 'AMQP_SILENCE_MINUTES', /0 to 1440/],
    [{ BODY_IDENTITY: 'both' }, 'BODY_IDENTITY', /topic or any/],
    [{ DEDUPE_DAYS: '0' }, 'DEDUPE_DAYS', /1 to 366/],
    [{ RETENTION_READINGS_DAYS: '0' }, 'RETENTION_READINGS_DAYS', /or keep/],
    [{ RETENTION_EVENTS_DAYS: 'forever' }, 'RETENTION_EVENTS_DAYS', /or keep/],
    [{ RETENTION_SET_ASIDE_DAYS: '-1' }, 'RETENTION_SET_ASIDE_DAYS', /or keep/],
    [{ STREAM_KEEP_HOURS: '721' }, 'STREAM_KEEP_HOURS', /0 to 720/],
    [{ STREAM_LIMIT: '0' }, 'STREAM_LIMIT', /1 to 10000/],
    [{ RETENTION_PRODUCTS: 'a1:readings' }, 'RETENTION_PRODUCTS', /"readings" of a1 is not understood/],
    [{ RETENTION_PRODUCTS: 'a1:tags=3' }, 'RETENTION_PRODUCTS', /"tags=3" of a1 is not understood/],
    [
      { RETENTION_PRODUCTS: 'a1:readings=0' },
      'RETENTION_PRODUCTS',
      /readings of a1 whole days, 1 to 36500, or keep: not "0"/,
    ],
    [{ RETENTION_PRODUCTS: 'a1:events=1:events=2' }, 'RETENTION_PRODUCTS', /events of a1 once/],
    [{ RETENTION_PRODUCTS: 'a1:events=1, a1:readings=1' }, 'RETENTION_PRODUCTS', /"a1" is there twice/],
    [{ RETENTION_PRODUCTS: 'a1' }, 'RETENTION_PRODUCTS', /"a1" has no rule/],
    [{ RETENTION_PRODUCTS: 'a_1:events=1' }, 'RETENTION_PRODUCTS', /"a_1" is no product key/],
    [{ PACK_READINGS_AFTER_DAYS: '0' }, 'PACK_READINGS_AFTER_DAYS', /or never/],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL', /fatal, error, warn/],
    [{ LOG_FORMAT: 'xml' }, 'LOG_FORMAT', /pretty or json/],
  ])('refuse %j, naming %s', (changes, variable, problem) => {
    expect(problemsOf(changes)).toEqual({ [variable]: expect.stringMatching(problem) });
  });

  it('name every bad one at once', () => {
    const problems = problemsOf({
      HTTP_PORT: 'x',
      AMQP_CREDIT: 'x',
      LOG_LEVEL: 'x',
      DATABASE_URL: '',
      AMQP_APP_KEY: '',
    });
    expect(Object.keys(problems)).toEqual(['DATABASE_URL', 'HTTP_PORT', 'AMQP_APP_KEY', 'AMQP_CREDIT', 'LOG_LEVEL']);
  });

  it('name every credential that a mode misses', () => {
    expect(Object.keys(problemsOf({ AMQP_AUTH_MODE: 'ststoken' }))).toEqual([
      'AMQP_ACCESS_KEY_ID',
      'AMQP_ACCESS_KEY_SECRET',
      'AMQP_SECURITY_TOKEN',
    ]);
    expect(Object.keys(problemsOf({ AMQP_AUTH_MODE: 'plain' }))).toEqual(['AMQP_USERNAME', 'AMQP_PASSWORD']);
  });

  it('never print the value of a secret, not even of a wrong one', () => {
    const wrong = { DATABASE_URL: 'mysql://u:hush@db/x', AMQP_URL: 'http://u:hush@x', HTTP_TOKEN: 'hush hush' };
    expect(JSON.stringify(problemsOf({ ...wrong, AMQP_SECURITY_TOKEN: 'hush,hush' }))).not.toContain('hush');
  });

  it('let a host beyond this machine stand with a token, or with the explicit wish for none', () => {
    expect(problemsOf({ HTTP_HOST: '0.0.0.0', HTTP_TOKEN: 'abc' })).toEqual({});
    expect(problemsOf({ HTTP_HOST: '::', HTTP_ANONYMOUS: 'true' })).toEqual({});
  });

  it('accept an authority file that holds certificates', () => {
    const folder = mkdtempSync(join(tmpdir(), 'settings-'));
    writeFileSync(join(folder, 'ca.pem'), '-----BEGIN CERTIFICATE-----\n');
    writeFileSync(join(folder, 'ca.der'), 'not text');
    expect(problemsOf({ AMQP_CA_FILE: join(folder, 'ca.pem') })).toEqual({});
    expect(problemsOf({ AMQP_CA_FILE: join(folder, 'ca.der') })).toHaveProperty('AMQP_CA_FILE');
  });

  it('are read from variables that architecture names', () => {
    expect(VARIABLES).toHaveLength(40);
    expect(VARIABLES).toEqual(
      expect.arrayContaining(['AMQP_IOT_INSTANCE_ID', 'RETENTION_READINGS_DAYS', 'AMQP_CA_FILE']),
    );
  });
});

it.each([
  ['127.0.0.1', true],
  ['127.8.9.10', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.evil.example', false],
])('tells whether %s is this machine alone: %s', (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});
