import { expect, it } from '@jest/globals';
import { BadDateFormat, formatDate, parseDate } from './date-format.js';

const AT = 1_543_373_798_943; // 2018-11-28T02:56:38.943Z, a Wednesday

it.each([
  ["yyyy-MM-dd'T'HH:mm:ss'Z'", undefined, '2018-11-28T10:56:38Z'],
  ["yyyy-MM-dd'T'HH:mm:ss'Z'", 'UTC', '2018-11-28T02:56:38Z'],
  ['yyyy-MM-dd HH:mm:ss.SSS', 'GMT+8', '2018-11-28 10:56:38.943'],
  ['yy/M/d h:mm a', 'CST', '18/11/28 10:56 AM'],
  ['EEE, EEEE MMM MMMM', 'UTC', 'Wed, Wednesday Nov November'],
  ["HH 'o''clock'", 'UTC', '02 oclock'],
  ["''yyyy''", 'UTC', "'2018'"],
  ['z Z X XX XXX', 'GMT+5:30', 'GMT+5:30 +0530 +05 +0530 +05:30'],
  ['X', 'UTC', 'Z'],
  ['HH', '-03:00', '23'],
  ['HH', 'Europe/Vienna', '03'],
  ['D u k K', 'UTC', '332 3 2 2'],
])('%s in %s is %s', (pattern, zone, expected) => {
  expect(formatDate(AT, pattern, zone)).toBe(expected);
});

it('knows summer time', () => {
  expect(formatDate(Date.UTC(2024, 6, 1), 'HH', 'Europe/Vienna')).toBe('02');
});

it.each([
  [AT, 'yyyy-bb', 'UTC', 'the letter b means nothing'],
  [AT, "yyyy'", 'UTC', 'a quote that does not end'],
  [AT, 'yyyy', 'Nowhere/Town', 'no time zone "Nowhere/Town"'],
  [AT, 'yyyy', '', 'no time zone ""'],
  [AT, 'y'.repeat(201), 'UTC', 'longer than 200'],
  [Number.NaN, 'yyyy', 'UTC', 'not milliseconds'],
])('refuses %s as %s in %s', (at, pattern, zone, message) => {
  expect(() => formatDate(at, pattern, zone)).toThrow(BadDateFormat);
  expect(() => formatDate(at, pattern, zone)).toThrow(message);
});

it.each([
  ['2018-11-28 10:56:38', 'yyyy-MM-dd HH:mm:ss', undefined, AT - 943],
  ['2018-11-28 02:56:38.943', 'yyyy-MM-dd HH:mm:ss.SSS', 'UTC', AT],
  ['28.11.2018 2:56 PM', 'dd.MM.yyyy h:mm a', 'UTC', Date.UTC(2018, 10, 28, 14, 56)],
  ['not a date', 'yyyy', 'UTC', null],
  ['2018 and more', 'yyyy', 'UTC', null],
])('reads %s as %s', (text, pattern, zone, expected) => {
  expect(parseDate(text, pattern, zone)).toBe(expected);
});
