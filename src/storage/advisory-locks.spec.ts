import { expect, it } from '@jest/globals';
import * as locks from './advisory-locks.js';

it('no two pieces of work wait for each other because their locks have one number', () => {
  const numbers = Object.values(locks);
  expect(new Set(numbers).size).toBe(numbers.length);
});
