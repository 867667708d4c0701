import { describe, expect, it } from '@jest/globals';
import { NOON } from '../../test/support/messages.js';
import { ExactNumber, type Json } from './json.js';
import { MessageTimes, readInstant } from './message-times.js';

const HOUR = 3_600_000;
const receivedAt = new Date(NOON);

describe('readInstant', () => {
  it.each<[Json, number]>([
    [NOON, NOON],
    [String(NOON), NOON],
    [new ExactNumber('1.7e12'), 1_700_000_000_000],
    [0, 0],
    [-62_135_596_800_000, -62_135_596_800_000],
    ['2023-11-14T22:25:10.480Z', 1_700_000_710_480],
    ['2023-11-15T06:25:10.480+08:00', 1_700_000_710_480],
    ['2023-11-14 22:25:10Z', 1_700_000_710_000],
    [1_700_000_000_000.7, 1_700_000_000_000],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
  ])('reads %p', (value, ms) => {
    expect(readInstant(value)).toBe(ms);
  });

  it.each<[Json]>([
    [null],
    [true],
    [{}],
    [[NOON]],
    [''],
    ['soon'],
    ['2023-11-15 06:25:10.480'],
    ['+300000-01-01T00:00:00Z'],
    ['0000-12-31T23:59:59Z'],
    ['2023-13-01T00:00:00Z'],
    [-62_135_596_800_001],
    [253_402_300_800_000],
    [1e300],
    [new ExactNumber('1e400')],
    ['9'.repeat(400)],
    [' 1700000000000'],
  ])('finds no time of the years 1 to 9999 in %p', (value) => {
    expect(readInstant(value)).toBeNull();
  });
});

describe('MessageTimes', () => {
  const body = { gmtCreate: NOON - 1000 };

  it('takes generateTime as the time of sending, else what the body says, and never the receipt', () => {
    expect(new MessageTimes(String(NOON - 5), body, receivedAt).sentAt).toEqual(new Date(NOON - 5));
    expect(new MessageTimes(null, body, receivedAt).sentAt).toEqual(new Date(NOON - 1000));
    expect(new MessageTimes(null, { utcTime: '2023-11-14T22:25:10.480Z' }, receivedAt).sentAt).toEqual(
      new Date(1_700_000_710_480),
    );
    expect(new MessageTimes('soon', { time: 'x', gmtCreate: 1e300 }, receivedAt).sentAt).toBeNull();
    expect(new MessageTimes(null, null, receivedAt).sentAt).toBeNull();
  });

  it('takes the body at its word, then generateTime, then the receipt', () => {
    expect(new MessageTimes(String(NOON - 5), body, receivedAt).at).toEqual(new Date(NOON - 1000));
    expect(new MessageTimes(String(NOON - 5), { gmtCreate: 'x' }, receivedAt).at).toEqual(new Date(NOON - 5));
    expect(new MessageTimes(String(NOON - 5), { gmtCreate: NOON + 26 * HOUR }, receivedAt).at).toEqual(
      new Date(NOON - 5),
    );
    expect(new MessageTimes(null, {}, receivedAt).at).toEqual(receivedAt);
  });

  it.each([
    ['generateTime', String(NOON), { gmtCreate: NOON - 500 * HOUR }],
    ['gmtCreate where there is no generateTime', null, { gmtCreate: NOON, time: NOON - 500 * HOUR }],
    ['the receipt where there is neither', null, { time: NOON - 500 * HOUR }],
  ])('lets a time be up to 25 hours after %s', (_, generateTime, inBody) => {
    const times = new MessageTimes(generateTime, inBody, receivedAt);
    expect(times.of(NOON + 25 * HOUR)).toEqual(new Date(NOON + 25 * HOUR));
    expect(times.of(NOON + 25 * HOUR + 1)).toBe('future-time');
    expect(times.of(-1)).toEqual(new Date(-1));
  });

  it('judges what is given and falls back to the message only where nothing is', () => {
    const times = new MessageTimes(null, body, receivedAt);
    expect(times.of(undefined)).toEqual(times.at);
    expect(times.of(null)).toEqual(times.at);
    expect(times.of('')).toBe('bad-time');
    expect(times.of(1e300)).toBe('bad-time');
  });
});
