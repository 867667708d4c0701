import { greatest, least, summed } from './combine-partials.js';
import { type Decimal, decimal, decimalText, dividedBy, minus, plus, times, ZERO } from './decimal.js';
import type { AggregateFunction, Fill } from './aggregate-functions.js';
import type { NumberAt, PartialAggregate, ValueAt } from './partial-aggregate.js';
import type { Piece } from './pieces.js';
import type { CanonicalJson, CanonicalNumber } from './value.js';

/** The readings of one series, summed up, and what is known around them. */
export interface SummedSeries {
  /** In order of time; the first and the last may be parts of windows that go on. */
  readonly pieces: readonly Piece[];
  /** By piece; none where there are no readings. */
  readonly partials: ReadonlyMap<number, PartialAggregate>;
  /** The last number, and the last value of any kind, before the first piece and in the same window. */
  readonly numberBefore: NumberAt | null;
  readonly valueBefore: ValueAt | null;
  /** The first number behind the last piece and in the same window. */
  readonly numberAfter: NumberAt | null;
  /** Up to when values hold that nothing followed: nobody knows the future. */
  readonly until: number;
}

/** All that is known of the numbers of a bucket. What costs more than a look is worked out when it is asked for. */
export interface BucketNumbers {
  readonly count: number;
  /** Null, like every other answer, where there is nothing to say. */
  of(name: AggregateFunction): CanonicalJson | null;
  /** The number that stands in where no reading is one. */
  filled(fill: Fill): CanonicalNumber | null;
  /** The value of any kind that stands in where there is no reading at all. */
  filledEnd(fill: Fill): CanonicalJson | null;
}

interface Seen {
  readonly piece: Piece;
  readonly partial: PartialAggregate | undefined;
  /** What holds when the piece begins: the last number, and the last value of any kind, of the same window. */
  readonly number: NumberAt | null;
  readonly value: ValueAt | null;
  /** The first number of the same window after the piece. */
  readonly next: NumberAt | null;
}

/** The numbers of every bucket that some window shows. */
export function bucketNumbers(series: SummedSeries): ReadonlyMap<number, BucketNumbers> {
  const buckets = new Map<number, Seen[]>();
  for (const seen of withSurroundings(series)) {
    const bucket = buckets.get(seen.piece.bucket);
    if (bucket) bucket.push(seen);
    else buckets.set(seen.piece.bucket, [seen]);
  }
  const numbers = new Map<number, BucketNumbers>();
  for (const [bucket, seen] of buckets) numbers.set(bucket, new PiecesOfBucket(seen, series.until));
  return numbers;
}

/** Each piece with what is known before and behind it. Nothing is carried from one window into another. */
function withSurroundings({ pieces, partials, numberBefore, valueBefore, numberAfter }: SummedSeries): readonly Seen[] {
  const nexts: (NumberAt | null)[] = [];
  let next = numberAfter;
  for (let index = pieces.length - 1; index >= 0; index--) {
    if (pieces[index]?.window !== pieces[index + 1]?.window && index < pieces.length - 1) next = null;
    nexts[index] = next;
    next = partials.get(index)?.first ?? next;
  }
  let [number, value] = [numberBefore, valueBefore];
  return pieces.map((piece, index) => {
    if (index > 0 && pieces[index - 1]?.window !== piece.window) [number, value] = [null, null];
    const partial = partials.get(index);
    const seen = { piece, partial, number, value, next: nexts[index] ?? null };
    number = partial?.last ?? number;
    value = partial?.mixed?.last ?? partial?.last ?? value;
    return seen;
  });
}

/** A class because an answer has ten thousand of them. */
class PiecesOfBucket implements BucketNumbers {
  readonly count: number;
  private readonly partials: readonly PartialAggregate[];

  constructor(
    private readonly seen: readonly Seen[],
    private readonly until: number,
  ) {
    const partials: PartialAggregate[] = [];
    let count = 0;
    for (const { partial } of seen) {
      if (!partial) continue;
      partials.push(partial);
      count += partial.count;
    }
    this.partials = partials;
    this.count = count;
  }

  of(name: AggregateFunction): CanonicalJson | null {
    switch (name) {
      case 'count':
        return String(this.partials.reduce((sum, partial) => sum + partial.others, this.count));
      case 'sum':
        return summed(this.partials);
      case 'avg': {
        const sum = summed(this.partials);
        return sum === null ? null : decimalText(dividedBy(decimal(sum), this.count));
      }
      case 'min':
        return least(this.partials);
      case 'max':
        return greatest(this.partials);
      case 'first': {
        const [partial] = this.partials;
        return (partial?.mixed?.first ?? partial?.first)?.value ?? null;
      }
      case 'last': {
        const partial = this.partials.at(-1);
        return (partial?.mixed?.last ?? partial?.last)?.value ?? null;
      }
      case 'delta': {
        const change = changeOver(this.seen);
        return change && decimalText(change.delta);
      }
      case 'rate': {
        const change = changeOver(this.seen);
        return change && change.ms > 0 ? decimalText(dividedBy(times(change.delta, 1000), change.ms)) : null;
      }
      case 'timeWeightedAverage': {
        const { area, ms } = underSteps(this.seen, this.until);
        return ms > 0 ? decimalText(dividedBy(area, ms)) : null;
      }
      case 'durations':
        return null;
      default:
        return name satisfies never;
    }
  }

  filled(fill: Fill): CanonicalNumber | null {
    if (fill === 'previous') return standing(this.seen, this.until, ({ number, partial }) => partial?.last ?? number);
    return fill === 'linear' ? onTheLine(this.seen) : null;
  }

  filledEnd(fill: Fill): CanonicalJson | null {
    if (fill === 'previous') {
      return standing(this.seen, this.until, ({ value, partial }) => partial?.mixed?.last ?? partial?.last ?? value);
    }
    return fill === 'linear' ? onTheLine(this.seen) : null;
  }
}

/** From the last number before to the last one in it, or from the first one where none came before; null without two to compare. */
function changeOver(seen: readonly Seen[]): { readonly delta: Decimal; readonly ms: number } | null {
  let change: { delta: Decimal; ms: number } | null = null;
  for (const { partial, number } of seen) {
    if (!partial?.first || !partial.last) continue;
    const from = number ?? (partial.count > 1 ? partial.first : null);
    if (!from) continue;
    const delta = minus(decimal(partial.last.value), decimal(from.value));
    const ms = partial.last.at - from.at;
    change = change ? { delta: plus(change.delta, delta), ms: change.ms + ms } : { delta, ms };
  }
  return change;
}

/** The area under the steps, in value times milliseconds, and for how long there is a step at all. */
function underSteps(seen: readonly Seen[], until: number): { readonly area: Decimal; readonly ms: number } {
  let area = ZERO;
  let ms = 0;
  const hold = (value: CanonicalNumber, from: number, to: number): void => {
    if (to <= from) return;
    area = plus(area, times(decimal(value), to - from));
    ms += to - from;
  };
  for (const { piece, partial, number } of seen) {
    const end = Math.min(piece.high, until);
    if (number) hold(number.value, piece.low, partial?.first ? partial.first.at : end);
    if (!partial?.first || !partial.last) continue;
    area = plus(area, decimal(partial.area ?? '0'));
    ms += partial.last.at - partial.first.at;
    hold(partial.last.value, partial.last.at, end);
  }
  return { area, ms };
}

/** What holds at the end of the bucket. Nothing holds in the future. */
function standing(seen: readonly Seen[], until: number, last: (seen: Seen) => ValueAt | null): CanonicalJson | null {
  const end = seen.at(-1);
  return end && end.piece.low < until ? (last(end)?.value ?? null) : null;
}

/** The number in the middle of the bucket on a straight line between the readings around it. */
function onTheLine(seen: readonly Seen[]): CanonicalNumber | null {
  for (const { piece, number, next } of seen) {
    if (!number || !next) continue;
    const rise = minus(decimal(next.value), decimal(number.value));
    const twice = piece.low + piece.high - 2 * number.at;
    return decimalText(plus(decimal(number.value), dividedBy(times(rise, twice), 2 * (next.at - number.at))));
  }
  return null;
}
