import type { PartialAggregate } from '../../src/domain/partial-aggregate.js';
import { type Extremes, extremes } from '../../src/storage/extremes.js';
import { partialAggregates, type PartialsQuestion } from '../../src/storage/partial-aggregates.js';
import type { PrismaService } from '../../src/storage/prisma.service.js';
import { rolledExtremes } from '../../src/storage/rolled-extremes.js';
import { rolledPartials } from '../../src/storage/rolled-partials.js';
import type { Rollups, StepDone } from '../../src/storage/rollups.js';
import { Snapshots } from '../../src/storage/snapshots.js';

/** Rolls up everything that can be at `now`, in small steps. */
export async function rollUpAll(rollups: Rollups, now: Date, seriesAtOnce = 5): Promise<void> {
  if (!(await rollups.advance(now))) throw new Error('a transaction stands in the way of the roll-ups');
  await rollUpReady(rollups, seriesAtOnce);
}

/** Rolls up what is ready. */
export async function rollUpReady(rollups: Rollups, seriesAtOnce = 5): Promise<void> {
  const steps: ((atMost: number) => Promise<StepDone | null>)[] = [
    (atMost) => rollups.redo(atMost),
    (atMost) => rollups.nextDay(atMost),
    (atMost) => rollups.nextHour(atMost),
    (atMost) => rollups.nextPast(atMost),
  ];
  for (const step of steps) while (await step(seriesAtOnce)) continue;
}

/** The same question answered from the readings alone and with roll-ups, both at the same moment. */
export async function bothAnswers(
  prisma: PrismaService,
  question: PartialsQuestion,
): Promise<{ raw: readonly PartialAggregate[]; rolled: readonly PartialAggregate[] }> {
  return new Snapshots(prisma).read(async (query) => ({
    raw: await partialAggregates(query, question),
    rolled: await rolledPartials(query, question),
  }));
}

/** The same of the lowest and the highest. */
export async function bothExtremes(
  prisma: PrismaService,
  { seriesIds, stretches }: Pick<PartialsQuestion, 'seriesIds' | 'stretches'>,
): Promise<{ raw: readonly Extremes[]; rolled: readonly Extremes[] }> {
  return new Snapshots(prisma).read(async (query) => ({
    raw: await extremes(query, seriesIds, stretches),
    rolled: await rolledExtremes(query, seriesIds, stretches),
  }));
}
