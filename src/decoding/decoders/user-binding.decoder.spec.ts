import { describe, expect, it } from '@jest/globals';
import { SENT, at, eventsOf, purifier } from '../../../test/support/decoded.js';

describe('user binding (7.6)', () => {
  const info = { identityId: '50demoIdentity771', scopeId: '', tenantId: '1DDEMOTENANT', owned: 1 };
  const user = { identityId: '50demoIdentity771', scopeId: '', tenantId: '1DDEMOTENANT' };
  const body = {
    bind: true,
    ...purifier,
    iotId: '',
    messageCreateTime: 1700000100345,
    identityInfos: [info],
    params: {},
  };
  const topic = '/a1DemoLiv01/purifier-17/thing/awss/enrollee/user';
  const bound = { kind: 'user-bound', device: purifier, at: at(1700000100345), user, owned: true };

  it('is one fact a user; an empty iotId says nothing', () => {
    const identityInfos = [info, { ...info, identityId: 'guest', scopeId: 's', owned: 0 }];
    expect(eventsOf(topic, { ...body, identityInfos })).toEqual([
      bound,
      { ...bound, user: { ...user, identityId: 'guest', scopeId: 's' }, owned: false },
    ]);
    expect(eventsOf(topic, { ...body, bind: false })).toEqual([{ ...bound, kind: 'user-unbound' }]);
  });

  it.each([
    ['no identity', { ...info, identityId: undefined }, 'malformed'],
    ['an empty identity', { ...info, identityId: '' }, 'malformed'],
    ['no word on who owns', { ...info, owned: 2 }, 'malformed'],
    ['something else', 5, 'malformed'],
    ['a NUL', { ...info, tenantId: '\0' }, 'not-storable'],
    ['an endless scope', { ...info, scopeId: 's'.repeat(257) }, 'too-long'],
  ])('spares the others when an entry has %s', (_, entry, reason) => {
    expect(eventsOf(topic, { ...body, identityInfos: [entry, info] })).toEqual([
      expect.objectContaining({ kind: 'value-rejected', identifier: 'identityInfos', reason, at: bound.at }),
      bound,
    ]);
  });

  it('is a rejected value when its time is absurd', () => {
    expect(eventsOf(topic, { ...body, messageCreateTime: -1e20 })).toMatchObject([
      { kind: 'value-rejected', reason: 'bad-time', at: at(SENT) },
    ]);
  });
});
