import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { readingsOf } from '../../src/storage/reading-source.js';
import { type ColdStore, openColdStore } from '../support/cold-store.js';

jest.setTimeout(120_000);

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Plan[];
}

const YEARS = 3;
const END = new Date(Date.UTC(2026, 0, 1));
const BEGIN = new Date(Date.UTC(2026 - YEARS, 0, 1));

/** Years of readings, one an hour, all packed but for one that came late for the first month. */
describe('the plans of questions over packed years', () => {
  let store: ColdStore;
  let series = 0;

  beforeAll(async () => {
    store = await openColdStore();
    series = await store.aSeries();
    await store.sql(
      `INSERT INTO "PropertyReading" ("at", "seriesId", "number")
       SELECT moment, $3::int, extract(hour FROM moment)
       FROM generate_series($1::timestamptz, $2::timestamptz - INTERVAL '1 hour', INTERVAL '1 hour') moment`,
      BEGIN.toISOString(),
      END.toISOString(),
      series,
    );
    await store.keep(new Date(Date.UTC(2026, 2, 1)));
    // A hundred more of the same, so that a partition is more than a page or two.
    await store.sql(
      `INSERT INTO "ReadingChunk" ("seriesId", "step", "from", "until", "base", "count", "product", "unit", "high", "low", "small")
       SELECT "seriesId" + n, "step", "from", "until", "base", "count", "product", "unit", "high", "low", "small"
       FROM "ReadingChunk", generate_series(1, 100) n`,
    );
    await store.addMonth(BEGIN);
    await store.sql(
      `INSERT INTO "PropertyReading" ("at", "seriesId", "number") VALUES ($1::timestamptz + INTERVAL '90 minutes', $2::int, 1)`,
      BEGIN.toISOString(),
      series,
    );
    await store.sql('ANALYZE');
  });
  afterAll(() => store.close());

  async function explained(
    from: Date,
    to: Date,
    order: 'asc' | 'desc',
    limit: number,
  ): Promise<{ blocks: number; chunks: number; partitions: number }> {
    const sql = readingsOf('$1::int', '$2::timestamptz', '$3::timestamptz', [], { order, limit: '$4::int' });
    const [row] = await store.sql<{ 'QUERY PLAN': readonly { readonly Plan: Plan }[] }>(
      `EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${sql}`,
      series,
      from.toISOString(),
      to.toISOString(),
      limit,
    );
    const root = row?.['QUERY PLAN'][0]?.Plan;
    if (!root) throw new Error('no plan');
    const nodes: Plan[] = [];
    const visit = (plan: Plan): void => {
      nodes.push(plan);
      plan.Plans?.forEach(visit);
    };
    visit(root);
    const touched = nodes.filter((node) => node['Relation Name'] !== undefined && node['Actual Loops'] > 0);
    const ofChunks = touched.filter((node) => node['Relation Name']?.startsWith('ReadingChunk'));
    expect(ofChunks.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    return {
      blocks: root['Shared Hit Blocks'] + root['Shared Read Blocks'],
      chunks: ofChunks.reduce((sum, node) => sum + node['Actual Rows'] * node['Actual Loops'], 0),
      partitions: new Set(touched.map((node) => node['Relation Name'])).size,
    };
  }

  it.each(['asc', 'desc'] as const)('open one chunk for the first fifty readings of all years, %s', async (order) => {
    const { blocks, chunks, partitions } = await explained(BEGIN, END, order, 51);
    expect(chunks).toBeLessThanOrEqual(3);
    expect(partitions).toBeLessThanOrEqual(4);
    expect(blocks).toBeLessThan(100);
  });

  it('read no more for many years than for one', async () => {
    const one = await explained(new Date(Date.UTC(2025, 0, 1)), END, 'desc', 51);
    const all = await explained(BEGIN, END, 'desc', 51);
    expect(all.blocks).toBeLessThanOrEqual(2 * one.blocks + 8);
  });

  it('read the chunks of the days that are asked for and no others', async () => {
    const day = await explained(new Date(Date.UTC(2024, 4, 10)), new Date(Date.UTC(2024, 4, 11)), 'asc', 1_001);
    expect(day.chunks).toBeLessThanOrEqual(2);
    expect(day.blocks).toBeLessThan(30);
  });
});
