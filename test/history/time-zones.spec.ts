import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { query } from '../../scripts/postgres/connection.mjs';
import { bucketsOf } from '../../src/domain/calendar-buckets.js';
import type { Interval } from '../../src/domain/interval.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

/** Zones whose midnights come once or never: of two, PostgreSQL takes the second, and we take the first. */
const ZONES = [
  'UTC',
  'Asia/Shanghai',
  'Europe/Berlin',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
  'America/New_York',
  'Africa/Casablanca',
  'Asia/Tehran',
];

const UNITS: readonly (readonly [string, Interval])[] = [
  ['day', { kind: 'days', count: 1 }],
  ['week', { kind: 'days', count: 7 }],
  ['month', { kind: 'months', count: 1 }],
  ['quarter', { kind: 'months', count: 3 }],
  ['year', { kind: 'months', count: 12 }],
];

const YEAR_MS = 366 * 86_400_000;
/** Every 53 hours and a bit from 1985 to 2025, so that all hours of all days come by. */
const INSTANTS = Array.from({ length: 6_600 }, (_, n) => Date.UTC(1985, 0, 1) + n * 53.123 * 3_600_000).map(Math.floor);

let database: TestDatabase;
beforeAll(async () => {
  database = await freshDatabase({ migrated: false });
});
afterAll(() => database.drop());

it.each(ZONES)('begins days, weeks, months and years of %s where PostgreSQL does', async (zone) => {
  for (const [unit, interval] of UNITS) {
    const { rows } = await query(
      database.url,
      `SELECT (extract(epoch FROM t)::numeric * 1000)::text AS at, (extract(epoch FROM date_trunc($1, t, $2)) * 1000)::int8::text AS begin
       FROM unnest($3::text::float8[]) ms, LATERAL (SELECT 'epoch'::timestamptz + ms * INTERVAL '1 millisecond' AS t) x`,
      [unit, zone, `{${INSTANTS.join(',')}}`],
    );
    const low = Math.min(...INSTANTS) - 2 * YEAR_MS;
    const begins =
      bucketsOf(interval, zone, { low, high: Math.max(...INSTANTS) + 1 }, 20_000)?.map((each) => each.low) ?? [];
    let place = 0;
    const ours = INSTANTS.map((at) => {
      while ((begins[place + 1] ?? Infinity) <= at) place += 1;
      return begins[place];
    });
    expect([unit, ours]).toEqual([unit, (rows as { begin: string }[]).map(({ begin }) => Number(begin))]);
  }
});
