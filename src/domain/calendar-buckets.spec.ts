import { describe, expect, it } from '@jest/globals';
import { bucketsOf, isTimeZone } from './calendar-buckets.js';
import { type Interval, parseInterval } from './interval.js';

function interval(text: string): Interval {
  const parsed = parseInterval(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

const cut = (text: string, zone: string, from: string, to: string, most = 10_000) =>
  bucketsOf(interval(text), zone, { low: Date.parse(from), high: Date.parse(to) }, most);

/** The beginnings of buckets, as UTC, without what all have in common. */
const begins = (text: string, zone: string, from: string, to: string): string[] =>
  (cut(text, zone, from, to) ?? []).map(({ low }) => new Date(low).toISOString().replace(/:00\.000Z$/, 'Z'));

/** How many minutes each bucket lasts. */
const minutes = (text: string, zone: string, from: string, to: string): number[] =>
  (cut(text, zone, from, to) ?? []).map(({ low, high }) => (high - low) / 60_000);

const HOURS = 60;

describe('days of a time zone', () => {
  it.each([
    ['Europe/Berlin', 'spring forward', '2026-03-27T23:00Z', '2026-03-30T22:00Z', [24, 23, 24]],
    ['Europe/Berlin', 'fall back', '2026-10-23T22:00Z', '2026-10-26T23:00Z', [24, 25, 24]],
    // midnight itself was skipped, and 23:00 came twice
    ['America/Sao_Paulo', 'spring forward', '2018-11-03T03:00Z', '2018-11-06T02:00Z', [24, 23, 24]],
    ['America/Sao_Paulo', 'fall back', '2018-02-17T02:00Z', '2018-02-19T03:00Z', [25, 24]],
    ['America/Sao_Paulo', 'no change since 2019', '2026-11-01T03:00Z', '2026-11-03T03:00Z', [24, 24]],
    ['Australia/Lord_Howe', 'spring forward by half an hour', '2026-10-02T13:30Z', '2026-10-05T13:00Z', [24, 23.5, 24]],
    ['Australia/Lord_Howe', 'fall back by half an hour', '2026-04-03T13:00Z', '2026-04-06T13:30Z', [24, 24.5, 24]],
    ['Asia/Kathmandu', 'at a quarter to', '2026-01-01T18:15Z', '2026-01-03T18:15Z', [24, 24]],
    [
      'Asia/Kathmandu',
      'put forward by a quarter of an hour in 1986',
      '1985-12-30T18:30Z',
      '1986-01-01T18:15Z',
      [24, 23.75],
    ],
    ['Pacific/Apia', 'without 30 December 2011', '2011-12-29T10:00Z', '2012-01-01T10:00Z', [24, 24, 24]],
    ['America/Havana', 'fall back to a second midnight', '2018-11-03T04:00Z', '2018-11-06T05:00Z', [24, 25, 24]],
    ['America/St_Johns', 'fall back from a minute after midnight', '2010-11-06T02:30Z', '2010-11-08T03:30Z', [24, 25]],
    ['Asia/Shanghai', 'summer time of 1991', '1991-09-13T15:00Z', '1991-09-15T16:00Z', [24, 25]],
  ])('%s: %s', (zone, _, from, to, hours) => {
    expect(minutes('P1D', zone, from, to).map((each) => each / HOURS)).toEqual(hours);
  });

  it('begin at the same instants wherever the question begins', () => {
    // the second 23:01 to midnight of St John's, after the first minute of the next day
    expect(begins('P1D', 'America/St_Johns', '2010-11-07T03:10Z', '2010-11-08T04:00Z')).toEqual([
      '2010-11-07T03:10Z',
      '2010-11-08T03:30Z',
    ]);
  });

  it('of which one is left out where the clock skips it', () => {
    expect(begins('P1D', 'Pacific/Apia', '2011-12-29T10:00Z', '2011-12-31T10:00Z')).toEqual([
      '2011-12-29T10:00Z',
      '2011-12-30T10:00Z',
    ]);
  });
});

describe('parts of a day', () => {
  it.each([
    ['PT1H', 'Europe/Berlin', '2026-03-29T00:00Z', '2026-03-29T03:00Z', [60, 60, 60]],
    ['PT1H', 'Europe/Berlin', '2026-10-25T00:00Z', '2026-10-25T03:00Z', [60, 60, 60]],
    ['PT6H', 'Europe/Berlin', '2026-03-28T23:00Z', '2026-03-29T22:00Z', [300, 360, 360, 360]],
    ['PT6H', 'Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T23:00Z', [420, 360, 360, 360]],
    // 00:00, 03:00 (in place of the 02:00 that never came), 04:00
    ['PT2H', 'Europe/Berlin', '2026-03-28T23:00Z', '2026-03-29T04:00Z', [120, 60, 120]],
    // 00:00, 02:00, 02:00 again, 04:00
    ['PT2H', 'Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T05:00Z', [120, 60, 120, 120]],
    ['PT30M', 'Australia/Lord_Howe', '2026-04-04T14:00Z', '2026-04-04T16:00Z', [30, 30, 30, 30]],
    ['PT1H', 'Australia/Lord_Howe', '2026-04-04T14:00Z', '2026-04-04T16:30Z', [90, 60]],
    ['PT1H', 'Australia/Lord_Howe', '2026-10-03T14:30Z', '2026-10-03T17:00Z', [60, 30, 60]],
    ['PT1H', 'Asia/Kathmandu', '2026-01-01T18:15Z', '2026-01-01T20:15Z', [60, 60]],
    ['PT1H', 'Pacific/Apia', '2011-12-30T08:00Z', '2011-12-30T12:00Z', [60, 60, 60, 60]],
    ['PT12H', 'Pacific/Apia', '2011-12-29T22:00Z', '2011-12-30T22:00Z', [720, 720]],
  ])('of %s in %s from %s', (text, zone, from, to, lengths) => {
    expect(minutes(text, zone, from, to)).toEqual(lengths);
  });

  it('begin by the clock on the wall', () => {
    expect(begins('PT6H', 'Asia/Shanghai', '2026-11-21T15:00Z', '2026-11-22T15:00Z')).toEqual([
      '2026-11-21T15:00Z',
      '2026-11-21T16:00Z',
      '2026-11-21T22:00Z',
      '2026-11-22T04:00Z',
      '2026-11-22T10:00Z',
    ]);
  });
});

it('counts lengths that divide no day as time goes by, from a Monday', () => {
  expect(begins('PT7H', 'UTC', '2000-01-03T00:00Z', '2000-01-04T00:00Z')).toEqual([
    '2000-01-03T00:00Z',
    '2000-01-03T07:00Z',
    '2000-01-03T14:00Z',
    '2000-01-03T21:00Z',
  ]);
  expect(minutes('PT36H', 'Europe/Berlin', '2026-03-20T00:00Z', '2026-04-02T00:00Z').slice(1, -1)).toEqual(
    Array.from({ length: 7 }, () => 36 * HOURS),
  );
});

it.each([
  [
    'P1W',
    'Asia/Shanghai',
    '2026-11-18T00:00Z',
    '2026-11-30T00:00Z',
    ['2026-11-18T00:00Z', '2026-11-22T16:00Z', '2026-11-29T16:00Z'],
  ],
  [
    'P1M',
    'Europe/Berlin',
    '2026-02-28T23:00Z',
    '2026-05-01T00:00Z',
    ['2026-02-28T23:00Z', '2026-03-31T22:00Z', '2026-04-30T22:00Z'],
  ],
  [
    'P3M',
    'UTC',
    '2026-02-01T00:00Z',
    '2026-08-01T00:00Z',
    ['2026-02-01T00:00Z', '2026-04-01T00:00Z', '2026-07-01T00:00Z'],
  ],
  [
    'P1Y',
    'Asia/Shanghai',
    '2024-01-01T00:00Z',
    '2026-01-01T00:00Z',
    ['2024-01-01T00:00Z', '2024-12-31T16:00Z', '2025-12-31T16:00Z'],
  ],
  [
    'P1Y',
    'UTC',
    '1969-06-01T00:00Z',
    '1971-06-01T00:00Z',
    ['1969-06-01T00:00Z', '1970-01-01T00:00Z', '1971-01-01T00:00Z'],
  ],
  ['P1M', 'Pacific/Apia', '2011-12-30T09:00Z', '2012-01-01T00:00Z', ['2011-12-30T09:00Z', '2011-12-31T10:00Z']],
])('%s in %s begins where the calendar says', (text, zone, from, to, expected) => {
  expect(begins(text, zone, from, to)).toEqual(expected);
});

it('gives up before it counts what is too much', () => {
  expect(cut('PT0.001S', 'UTC', '0001-01-01T00:00Z', '9999-12-31T00:00Z')).toBeNull();
  expect(cut('PT1H', 'UTC', '2026-01-01T00:00Z', '2026-01-01T05:00Z', 4)).toBeNull();
  expect(cut('PT1H', 'UTC', '2026-01-01T00:00Z', '2026-01-01T05:00Z', 5)).toHaveLength(5);
  expect(cut('PT1H', 'UTC', '2026-01-01T00:00Z', '2026-01-01T00:00Z')).toEqual([]);
});

it.each(['Asia/Shanghai', 'asia/shanghai', 'UTC', 'Etc/GMT-8', 'America/Argentina/Buenos_Aires'])(
  'knows %s',
  (name) => {
    expect(isTimeZone(name)).toBe(true);
  },
);

it.each(['Mars/Base', '', '+08:00', 'Z', 'Asia/Shanghai ', 'Asia\u0000'])(
  'does not take "%s" for a time zone',
  (name) => {
    expect(isTimeZone(name)).toBe(false);
  },
);
