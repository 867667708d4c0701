import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NumberRanges } from './number-ranges.js';

it('says of any numbers, added in order and removed from the beginning, how many there are', () => {
  const steps = fc.array(fc.record({ skip: fc.nat(3), remove: fc.option(fc.nat(60), { nil: null }) }));
  fc.assert(
    fc.property(steps, fc.nat(60), fc.nat(60), (all, after, upTo) => {
      const ranges = new NumberRanges();
      let plain: number[] = [];
      let next = 0;
      for (const { skip, remove } of all) {
        next += 1 + skip;
        ranges.add(next);
        plain.push(next);
        if (remove === null) continue;
        const left = plain.filter((number) => number > remove);
        expect(ranges.removeUpTo(remove)).toBe(plain.length - left.length);
        plain = left;
      }
      expect(ranges.size).toBe(plain.length);
      expect(ranges.countBetween(after, upTo)).toBe(plain.filter((number) => number > after && number <= upTo).length);
    }),
  );
});
