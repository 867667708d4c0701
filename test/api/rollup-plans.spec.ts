import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { rolledPartials } from '../../src/storage/rolled-partials.js';
import { DAY_MS, HOUR_MS } from '../../src/storage/rollup-state.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

const DAYS = 120;
const END = Date.UTC(2026, 10, 20);

/** A day of a series is one row, and its line of an hour says the same in each. */
const rollUps = (fromSeries: number, toSeries: number): string => `
  INSERT INTO "ReadingRollup" ("at", "seriesId", "count", "firstAt", "lastAt", "minAt", "maxAt", "hours", "sum", "min", "max", "first", "last", "area", "parts")
  SELECT day, s, 240, 0, 86399999, 0, 0, 24, 240, 1, 1, 1, 1, 86399999,
    (SELECT string_agg(concat_ws(' ', h, 10, 10, 1, 1, 1, 0, 1, 3599999, 3599999, 0, 0), E'\\n' ORDER BY h) FROM generate_series(0, 23) h)
  FROM generate_series(TIMESTAMPTZ '2026-11-20Z' - ${DAYS} * INTERVAL '1 day', '2026-11-19Z', INTERVAL '1 day') day,
    generate_series(${fromSeries}, ${toSeries}) s`;

describe('the plans of questions answered from roll-ups', () => {
  let database: TestDatabase;
  let prisma: PrismaService;

  beforeAll(async () => {
    database = await freshDatabase();
    prisma = new PrismaService({ databaseUrl: database.url });
    await prisma.$executeRawUnsafe(
      `SELECT "partitions"."add_month"('ReadingRollup', m::date) FROM generate_series(TIMESTAMP '2026-07-01', '2026-11-01', INTERVAL '1 month') m`,
    );
    await prisma.$executeRawUnsafe(rollUps(1, 80));
    await prisma.$executeRawUnsafe(
      `INSERT INTO "RollupMark" ("seriesId", "day") SELECT s, '2026-11-20Z' FROM generate_series(1, 5000) s`,
    );
    await prisma.$executeRawUnsafe('VACUUM ANALYZE');
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  /** The blocks of 8 kB and the scans that it takes to tell five series what each hour of 30 days came to. */
  async function cost(
    stepMs: number,
    days: number,
  ): Promise<{ blocks: number; wholeTables: string[]; partials: number }> {
    const snapshots = new ExplainedSnapshots(prisma);
    const count = (days * DAY_MS) / stepMs;
    const stretches = Array.from({ length: count }, (_, index) => {
      const high = END - (count - 1 - index) * stepMs;
      return { low: high - stepMs, high };
    });
    const partials = await snapshots.read((query) =>
      rolledPartials(query, { seriesIds: [1, 2, 3, 4, 5], stretches, ends: true }),
    );
    const wholeTables = snapshots.scans().filter((scan) => scan.startsWith('Seq Scan'));
    return { blocks: snapshots.blocks(), wholeTables, partials: partials.length };
  }

  it('30 days by the hour, and months by the day, are a row a day, with ten times as many series as well', async () => {
    const few = [await cost(HOUR_MS, 30), await cost(DAY_MS, DAYS)];
    expect(few).toMatchObject([
      { wholeTables: [], partials: 5 * 720 },
      { wholeTables: [], partials: 5 * DAYS },
    ]);
    await prisma.$executeRawUnsafe(rollUps(81, 800));
    await prisma.$executeRawUnsafe('VACUUM ANALYZE');
    const many = [await cost(HOUR_MS, 30), await cost(DAY_MS, DAYS)];
    expect(many).toMatchObject([
      { wholeTables: [], partials: 5 * 720 },
      { wholeTables: [], partials: 5 * DAYS },
    ]);
    // At most the row's page and two of the index a row, however many other series there are.
    expect(Math.max(few[0]?.blocks ?? Infinity, many[0]?.blocks ?? Infinity)).toBeLessThan(3 * 5 * 30);
    expect(Math.max(few[1]?.blocks ?? Infinity, many[1]?.blocks ?? Infinity)).toBeLessThan(3 * 5 * DAYS);
  });
});
