import { describe, expect, it } from '@jest/globals';
import { Admission, NO_CONNECTION_LIMITS, type ConnectionLimits } from './admission.js';

function admission(limits: Partial<ConnectionLimits>): { readonly at: (now: number) => Admission } {
  let time = 0;
  const made = new Admission({ ...NO_CONNECTION_LIMITS, ...limits }, () => time);
  return {
    at: (now) => {
      time = now;
      return made;
    },
  };
}

describe('the limits on clients', () => {
  it('let so many sign in to a group within any minute', () => {
    const { at } = admission({ connectsPerMinute: 3 });
    expect([0, 10_000, 59_000].map((now) => at(now).attempt('g'))).toEqual([null, null, null]);
    expect(at(59_999).attempt('g')).toMatch(/more than 3 sign-ins to g within a minute/);
    expect(at(59_999).attempt('other')).toBeNull();
    expect(at(60_001).attempt('g')).toBeNull(); // the first is a minute ago
    expect(at(60_002).attempt('g')).toMatch(/more than 3/);
  });

  it('do not count what they turned away', () => {
    const { at } = admission({ connectsPerMinute: 1 });
    at(0).attempt('g');
    for (let now = 1; now < 60_000; now += 100) expect(at(now).attempt('g')).not.toBeNull();
    expect(at(60_001).attempt('g')).toBeNull();
  });

  it('let so many be in a group, and of a tenant, at a time', () => {
    const { at } = admission({ connections: 3, clientsOfGroup: 2 });
    const limits = at(0);
    expect([limits.enter('t', 'a'), limits.enter('t', 'a')]).toEqual([null, null]);
    expect(limits.enter('t', 'a')).toBe('a has 2 clients already');
    expect(limits.enter('t', 'b')).toBeNull();
    expect(limits.enter('t', 'c')).toBe('t has 3 connections already');
    expect(limits.enter('u', 'd')).toBeNull();
    limits.leave('t', 'a');
    expect(limits.enter('t', 'a')).toBeNull();
  });

  it('are none when switched off', () => {
    const limits = admission({}).at(0);
    for (let i = 0; i < 1_000; i++) expect([limits.attempt('g'), limits.enter('t', 'g')]).toEqual([null, null]);
  });
});
