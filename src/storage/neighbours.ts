import type { NumberAt, Stretch, ValueAt } from '../domain/partial-aggregate.js';
import { firstNumbers, lastNumbers, lastValues } from './partial-aggregates.js';
import type { Query } from './snapshots.js';

/** What is known of each series just outside of a range: the last before it, and the first behind it. */
export interface Neighbours {
  readonly numbersBefore: ReadonlyMap<number, NumberAt>;
  readonly valuesBefore: ReadonlyMap<number, ValueAt>;
  readonly numbersAfter: ReadonlyMap<number, NumberAt>;
}

/** How far is looked at first: most series have something there, and it is in one or two partitions. */
const NEAR_MS = 14 * 86_400_000;

/**
 * @param windows what may be looked at: a range that begins or ends inside of one sees as far as that reaches
 * @param known where there are readings at all
 */
export async function neighboursOf(
  query: Query,
  seriesIds: readonly number[],
  range: Stretch,
  windows: readonly Stretch[],
  known: Stretch,
  wants: { readonly before: boolean; readonly after: boolean },
): Promise<Neighbours> {
  const opened = wants.before && windows.find(({ low, high }) => low < range.low && range.low < high);
  const closed = wants.after && windows.find(({ low, high }) => low < range.high && range.high < high);
  const before = opened && { low: Math.max(opened.low, known.low), high: Math.min(range.low, known.high) };
  const after = closed && { low: Math.max(range.high, known.low), high: Math.min(closed.high, known.high) };
  const valuesBefore = before
    ? await nearestFirst(query, lastValues, seriesIds, before, 'before')
    : new Map<number, ValueAt>();
  const others = [...valuesBefore].filter(([, { value }]) => !isNumber(value)).map(([id]) => id);
  const numbersBefore = new Map([...valuesBefore].filter(([, { value }]) => isNumber(value)));
  if (before) {
    for (const [id, number] of await nearestFirst(query, lastNumbers, others, before, 'before'))
      numbersBefore.set(id, number);
  }
  return {
    valuesBefore,
    numbersBefore,
    numbersAfter: after
      ? await nearestFirst(query, firstNumbers, seriesIds, after, 'after')
      : new Map<number, NumberAt>(),
  };
}

async function nearestFirst(
  query: Query,
  look: typeof lastValues,
  seriesIds: readonly number[],
  { low, high }: Stretch,
  side: 'before' | 'after',
): Promise<ReadonlyMap<number, ValueAt>> {
  const edge = side === 'before' ? Math.max(low, high - NEAR_MS) : Math.min(high, low + NEAR_MS);
  const [near, far] =
    side === 'before'
      ? [
          { low: edge, high },
          { low, high: edge },
        ]
      : [
          { low, high: edge },
          { low: edge, high },
        ];
  const found = new Map(await look(query, seriesIds, near));
  const missing = seriesIds.filter((id) => !found.has(id));
  for (const [id, value] of await look(query, missing, far)) found.set(id, value);
  return found;
}

/** Whether JSON text is a number. */
function isNumber(json: string): boolean {
  return /^[-\d]/.test(json);
}
