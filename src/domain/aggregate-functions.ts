/** What can be asked of the readings of a bucket; beside these, percentiles such as p95. */
export const AGGREGATE_FUNCTIONS = [
  'count',
  'avg',
  'min',
  'max',
  'sum',
  'first',
  'last',
  'delta',
  'rate',
  'timeWeightedAverage',
  'durations',
] as const;

export type AggregateFunction = (typeof AGGREGATE_FUNCTIONS)[number];

export function isAggregateFunction(name: string): name is AggregateFunction {
  return (AGGREGATE_FUNCTIONS as readonly string[]).includes(name);
}

/** Those that say something of values that are no numbers, too. */
export const OF_ANY_VALUE: ReadonlySet<string> = new Set<AggregateFunction>(['count', 'first', 'last', 'durations']);

/** What stands in for a bucket without readings. */
export const FILLS = ['none', 'null', 'previous', 'linear'] as const;
export type Fill = (typeof FILLS)[number];

/** The share of a percentile such as `p95` or `p99.9` as decimal text (`0.95`), or null when it is none. */
export function percentileShare(name: string): string | null {
  const match = /^p(\d{1,2}|100)(?:\.(\d{1,4}))?$/.exec(name);
  const [, whole = '', fraction = ''] = match ?? [];
  if (!match || (whole === '100' && Number(fraction) > 0)) return null;
  return whole === '100' ? '1' : `0.${whole.padStart(2, '0')}${fraction}`;
}
