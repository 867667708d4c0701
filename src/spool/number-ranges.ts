interface Range {
  first: number;
  last: number;
}

/** A set of numbers that grows at its end and shrinks from its beginning; holes cost something, numbers do not. */
export class NumberRanges {
  private readonly ranges: Range[] = [];
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** Adds a number greater than all before. */
  add(number: number): void {
    const last = this.ranges.at(-1);
    if (last?.last === number - 1) last.last = number;
    else this.ranges.push({ first: number, last: number });
    this.count += 1;
  }

  /** How many of them are greater than `after`, and `upTo` at most. */
  countBetween(after: number, upTo: number): number {
    let count = 0;
    for (const { first, last } of this.ranges)
      count += Math.max(0, Math.min(last, upTo) - Math.max(first, after + 1) + 1);
    return count;
  }

  /**
   * Removes every number up to and including `number`.
   * @returns how many those were.
   */
  removeUpTo(number: number): number {
    let removed = 0;
    for (let range = this.ranges[0]; range !== undefined && range.first <= number; range = this.ranges[0]) {
      const last = Math.min(range.last, number);
      removed += last - range.first + 1;
      range.first = last + 1;
      if (range.first > range.last) this.ranges.shift();
    }
    this.count -= removed;
    return removed;
  }
}
