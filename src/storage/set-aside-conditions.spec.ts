import { expect, it } from '@jest/globals';
import { behindAll } from './set-aside-conditions.js';

it.each([
  ['/a1/', '/a10'],
  ['a\u{10ffff}', 'b'],
  ['\ud7ff', '\ue000'],
  ['é', 'ê'],
  ['\u{10ffff}\u{10ffff}', null],
  ['', null],
])('the first text behind all that begin with %j is %j', (prefix, end) => {
  expect(behindAll(prefix)).toBe(end);
});
