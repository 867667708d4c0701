import { expect, it } from '@jest/globals';
import { parseInterval } from './interval.js';

it.each([
  ['PT5M', { kind: 'clock', ms: 300_000 }],
  ['PT1H30M', { kind: 'clock', ms: 5_400_000 }],
  ['PT90M', { kind: 'clock', ms: 5_400_000 }],
  ['PT0.5S', { kind: 'clock', ms: 500 }],
  ['PT12H', { kind: 'clock', ms: 43_200_000 }],
  ['PT7H', { kind: 'elapsed', ms: 25_200_000 }],
  ['PT24H', { kind: 'elapsed', ms: 86_400_000 }],
  ['PT36H', { kind: 'elapsed', ms: 129_600_000 }],
  ['P1D', { kind: 'days', count: 1 }],
  ['P1W', { kind: 'days', count: 7 }],
  ['P1W2D', { kind: 'days', count: 9 }],
  ['P1M', { kind: 'months', count: 1 }],
  ['P1Y6M', { kind: 'months', count: 18 }],
])('reads %s', (text, interval) => {
  expect(parseInterval(text)).toEqual(interval);
});

it.each([
  ['', /ISO 8601/],
  ['5m', /ISO 8601/],
  ['P', /ISO 8601/],
  ['PT', /ISO 8601/],
  ['P1DT', /ISO 8601/],
  ['-P1D', /ISO 8601/],
  ['p1d', /ISO 8601/],
  ['PT0.0001S', /ISO 8601/],
  ['P1.5D', /ISO 8601/],
  ['P9999999D', /ISO 8601/],
  ['P0D', /longer than nothing/],
  ['P1DT12H', /must not mix/],
  ['P1M1D', /must not mix/],
  ['P1YT1S', /must not mix/],
  ['P200000D', /at most/],
])('refuses %s', (text, words) => {
  expect(parseInterval(text)).toMatch(words);
});
