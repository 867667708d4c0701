import { describe, expect, it } from '@jest/globals';
import { explainLoss, type Phase } from './loss.js';

function codeError(code: string, message = 'words'): Error {
  return Object.assign(new Error(message), { code });
}

const refused = { condition: 'amqp:unauthorized-access', description: 'Failed to authenticate: 1' };

describe('why there is no connection', () => {
  it.each<[string, unknown, Phase, RegExp, RegExp | null]>([
    ['an unknown host', codeError('ENOTFOUND'), 'connecting', /host name is not known/, /AMQP_URL/],
    ['a closed port', codeError('ECONNREFUSED'), 'connecting', /nobody answers there/, /AMQP_URL.*firewall/],
    [
      'all addresses of a host refusing',
      new AggregateError([codeError('ECONNREFUSED'), codeError('ECONNREFUSED')]),
      'connecting',
      /nobody answers there \(ECONNREFUSED\)/,
      /AMQP_URL/,
    ],
    ['an unreachable host', codeError('EHOSTUNREACH'), 'connecting', /nobody answers/, /network/],
    ['a certificate of its own', codeError('SELF_SIGNED_CERT_IN_CHAIN'), 'connecting', /not trusted/, /AMQP_CA_FILE/],
    [
      'a certificate for another host',
      codeError('ERR_TLS_CERT_ALTNAME_INVALID'),
      'connecting',
      /not valid: words/,
      /AMQP_URL/,
    ],
    ['an old certificate', codeError('CERT_HAS_EXPIRED'), 'connecting', /not valid/, /clock/],
    ['a port without TLS', codeError('ERR_SSL_WRONG_VERSION_NUMBER'), 'connecting', /does not speak TLS/, /amqp:\/\//],
    [
      'a missing certificate file',
      codeError('ENOENT', "no such file '/ca'"),
      'connecting',
      /no such file '\/ca'/,
      /AMQP_CA_FILE/,
    ],
    [
      'refused credentials',
      refused,
      'signing in',
      /credentials were refused \(Failed to authenticate: 1\)/,
      /AMQP_APP_SECRET/,
    ],
    [
      'a platform with too many sign-ins',
      { condition: 'amqp:internal-error', description: 'Failed to authenticate: 4' },
      'signing in',
      /just now \(SASL outcome 4\)/,
      null,
    ],
    [
      'a hang-up while signing in',
      'the peer closed the socket',
      'signing in',
      /signing in failed/,
      /AMQP_URL and AMQP_APP_KEY/,
    ],
    ['an unauthorized close later', refused, 'open', /amqp:unauthorized-access: Failed/, null],
    [
      'a condition',
      { condition: 'amqp:connection:forced', description: 'maintenance' },
      'open',
      /^amqp:connection:forced: maintenance$/,
      null,
    ],
    ['a condition without words', { condition: 'amqp:not-found' }, 'attaching', /^amqp:not-found$/, null],
    ['words alone', 'the peer closed the socket', 'open', /^the peer closed the socket$/, null],
    ['nothing', undefined, 'open', /^no reason was given$/, null],
  ])('is told for %s', (_, fault, phase, reason, advice) => {
    const loss = explainLoss(fault, phase, 'appkey');
    expect(loss.reason).toMatch(reason);
    if (advice === null) expect(loss.advice).toBeNull();
    else expect(loss.advice).toMatch(advice);
  });

  it.each([
    ['appkey', 'AMQP_APP_KEY'],
    ['aksign', 'AMQP_IOT_INSTANCE_ID'],
    ['ststoken', 'AMQP_SECURITY_TOKEN'],
    ['plain', 'AMQP_USERNAME'],
  ] as const)('names the settings of %s', (mode, setting) => {
    expect(explainLoss(refused, 'signing in', mode).advice).toContain(setting);
  });

  it('is one line, however much the peer says', () => {
    const { reason } = explainLoss({ condition: 'x', description: `a\nb${'c'.repeat(1_000)}` }, 'open', 'plain');
    expect(reason).not.toContain('\n');
    expect(reason.length).toBeLessThan(400);
  });
});
