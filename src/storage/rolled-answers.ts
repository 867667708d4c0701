import type { Stretch } from '../domain/partial-aggregate.js';
import { answerFrom, type Rest, type RolledRow } from './rolled-pieces.js';
import { type Level, rolledRows, type RowReader } from './rolled-rows.js';
import { DAY_MS, floor, HOUR_MS } from './rollup-state.js';
import type { Query } from './snapshots.js';

const MINUTE_MS = 60_000;
/** A question about less time is answered from the readings without looking for anything else. */
const WORTH_LOOKING_MS = 2 * HOUR_MS;
/** Stretches of readings closer together than this are asked for in one go, the readings between them being skipped. */
const APART_MS = 6 * HOUR_MS;
/** No more statements than this for the readings of series that have the same stretches left. */
const ISLANDS = 6;

/** Of which series, and of which of the stretches that were asked for, counted from 0. */
export interface OfStretch {
  readonly seriesId: number;
  readonly stretch: number;
}

/** What is to be known of a series in a stretch of time, and how it is had. */
export interface PieceKind<Piece> extends RowReader<Piece> {
  /** By series and time, those that have readings. */
  readonly ofReadings: (
    query: Query,
    seriesIds: readonly number[],
    stretches: readonly Stretch[],
  ) => Promise<readonly (Piece & OfStretch)[]>;
  /** What pieces in order of time, none overlapping another, come to. */
  readonly together: (pieces: readonly Piece[]) => Piece | null;
}

/** What is known of one series so far. */
interface Progress<Piece> {
  readonly pieces: { readonly stretch: number; readonly low: number; readonly piece: Piece }[];
  rests: readonly Rest[];
}

/**
 * What the readings of each series come to in each stretch, with as little reading as can be: from days that were rolled up where they
 * lie in one stretch, from their hours and from minutes at the edges, and from the readings where nothing is rolled up or its day
 * is marked.
 * @param stretches in order of time, none overlapping another
 * @returns those that have readings, by series and time
 */
export async function rolledUp<Piece extends object>(
  query: Query,
  seriesIds: readonly number[],
  stretches: readonly Stretch[],
  kind: PieceKind<Piece>,
): Promise<readonly (Piece & OfStretch)[]> {
  const [first, last] = [stretches[0], stretches.at(-1)];
  if (!first || !last || last.high - first.low < WORTH_LOOKING_MS) return kind.ofReadings(query, seriesIds, stretches);
  const rests = stretches.map((stretch, index) => ({ ...stretch, stretch: index }));
  const known = new Map<number, Progress<Piece>>(seriesIds.map((id) => [id, { pieces: [], rests }]));
  await fromRows(query, known, { hours: 24, bucketMs: DAY_MS, partMs: HOUR_MS }, kind);
  await fromRows(query, known, { hours: 1, bucketMs: HOUR_MS, partMs: MINUTE_MS }, kind);
  await fromReadings(query, known, kind);
  return seriesIds.flatMap((seriesId) => together(seriesId, known.get(seriesId)?.pieces ?? [], kind));
}

/** Answers what can be answered from the rows of one level. */
async function fromRows<Piece>(
  query: Query,
  known: ReadonlyMap<number, Progress<Piece>>,
  level: Level,
  kind: PieceKind<Piece>,
): Promise<void> {
  const { bucketMs, partMs } = level;
  const holdsPart = ({ low, high }: Rest): boolean => Math.ceil(low / partMs) * partMs < floor(high, partMs);
  const groups = alike([...known].map(([seriesId, { rests }]) => ({ seriesId, rests })));
  if (!groups.some(({ rests }) => rests.some(holdsPart))) return;
  const wanted = groups.flatMap(({ seriesIds, rests }) => {
    const spans = joined(rests, DAY_MS).map(({ low, high }) => ({ low: floor(low, bucketMs), high }));
    return seriesIds.flatMap((seriesId) => spans.map((span) => ({ seriesId, ...span })));
  });
  const cut = cutBuckets(
    groups.flatMap(({ rests }) => rests),
    bucketMs,
  );
  const rows = new Map<number, Map<number, RolledRow<Piece>>>();
  for (const row of await rolledRows(query, level, { wanted, cut }, kind)) {
    const ofSeries = rows.get(row.seriesId) ?? new Map<number, RolledRow<Piece>>();
    rows.set(row.seriesId, ofSeries.set(row.at, row));
  }
  for (const [seriesId, ofSeries] of rows) {
    const progress = known.get(seriesId);
    if (!progress) continue;
    const { pieces, rests } = answerFrom(ofSeries, progress.rests, level);
    progress.pieces.push(...pieces);
    progress.rests = rests;
  }
}

/** The buckets of which some rest wants a part only. */
function cutBuckets(rests: readonly Rest[], bucketMs: number): number[] {
  const cut = new Set<number>();
  for (const { low, high } of rests) {
    if (low % bucketMs !== 0) cut.add(floor(low, bucketMs));
    if (high % bucketMs !== 0) cut.add(floor(high, bucketMs));
  }
  return [...cut];
}

/** Answers the rest from the readings: series that have the same left close together in one statement. */
async function fromReadings<Piece>(
  query: Query,
  known: ReadonlyMap<number, Progress<Piece>>,
  kind: PieceKind<Piece>,
): Promise<void> {
  const asked = [...known].flatMap(([seriesId, { rests }]) =>
    islands(rests).map((island) => ({ seriesId, rests: island })),
  );
  for (const { rests, seriesIds } of alike(asked)) {
    for (const found of await kind.ofReadings(query, seriesIds, rests)) {
      const rest = rests[found.stretch];
      if (rest) known.get(found.seriesId)?.pieces.push({ stretch: rest.stretch, low: rest.low, piece: found });
    }
  }
}

/** Series that have the same left, together. */
function alike(
  items: readonly { readonly seriesId: number; readonly rests: readonly Rest[] }[],
): readonly { readonly rests: readonly Rest[]; readonly seriesIds: readonly number[] }[] {
  const texts = new Map<readonly Rest[], string>(); // most have the very same in the beginning, and it may be long
  const groups = new Map<string, { readonly rests: readonly Rest[]; readonly seriesIds: number[] }>();
  for (const { seriesId, rests } of items) {
    const text = texts.get(rests) ?? rests.map(({ low, high }) => `${low} ${high}`).join();
    texts.set(rests, text);
    const group = groups.get(text);
    if (group) group.seriesIds.push(seriesId);
    else groups.set(text, { rests, seriesIds: [seriesId] });
  }
  return [...groups.values()];
}

function islands(rests: readonly Rest[]): Rest[][] {
  for (let apart = APART_MS; ; apart *= 4) {
    const found: Rest[][] = [];
    for (const rest of rests) {
      const before = found.at(-1)?.at(-1);
      if (before && rest.low - before.high < apart) found.at(-1)?.push(rest);
      else found.push([rest]);
    }
    if (found.length <= ISLANDS) return found;
  }
}

/** Stretches that are close together as one. */
function joined(stretches: readonly Stretch[], apart: number): Stretch[] {
  const found: { low: number; high: number }[] = [];
  for (const { low, high } of stretches) {
    const before = found.at(-1);
    if (before && low - before.high < apart) before.high = high;
    else found.push({ low, high });
  }
  return found;
}

/** The pieces of one series put together, stretch by stretch. */
function together<Piece extends object>(
  seriesId: number,
  pieces: Progress<Piece>['pieces'],
  kind: PieceKind<Piece>,
): (Piece & OfStretch)[] {
  pieces.sort((a, b) => a.stretch - b.stretch || a.low - b.low);
  const found: (Piece & OfStretch)[] = [];
  let next = 0;
  while (next < pieces.length) {
    const [first, stretch] = [next, pieces[next]?.stretch ?? 0];
    while (pieces[next]?.stretch === stretch) next += 1;
    const whole = kind.together(pieces.slice(first, next).map(({ piece }) => piece));
    if (whole) found.push(Object.assign(whole, { seriesId, stretch })); // pieces are nobody else's
  }
  return found;
}
