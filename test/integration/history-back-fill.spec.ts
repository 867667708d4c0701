import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/checkout.mjs';
import { happenings, ofProduct } from '../promises/happenings.js';
import { decodedAs, openStore, type TestStore } from '../support/writer.js';

let store: TestStore;
beforeAll(async () => {
  store = await openStore();
});
afterAll(() => store.close());

const HISTORIES = [
  `SELECT to_jsonb(h)::text AS row FROM "DeviceHistory" h ORDER BY 1`,
  `SELECT to_jsonb(h)::text AS row FROM "PresenceHistory" h ORDER BY 1`,
];

async function rows(): Promise<string[][]> {
  const found = [];
  for (const sql of HISTORIES) found.push(await store.prisma.$queryRawUnsafe<{ row: string }[]>(sql));
  return found.map((table) => table.map(({ row }) => row));
}

/** What the migration does to a database that has data, statement by statement. */
function backFill(): string[] {
  const file = path.join(root, 'prisma/migrations/20261128204000_presence_and_as_of/migration.sql');
  const text = readFileSync(file, 'utf8');
  const filling = text.slice(text.indexOf('-- Since when a device is known'));
  return filling.split(/;\n/).filter((statement) => statement.trim() !== '');
}

it('makes of what the mirror knows the histories that the writer would have kept', async () => {
  const events = fc
    .sample(happenings, { numRuns: 60, seed: 4_711 })
    .flatMap((told, index) => told.map((event) => ofProduct(event, `pk${index}`)));
  await store.writer.write(events.map((event) => decodedAs([event])));
  const written = await rows();
  expect(written.map((table) => table.length > 30)).toEqual([true, true]);
  for (const table of ['DeviceHistory', 'PresenceHistory', 'DeviceIdentity', 'PresenceTouched']) {
    await store.prisma.$executeRawUnsafe(`TRUNCATE "${table}"`);
  }
  await store.prisma.$executeRawUnsafe(`UPDATE "Device" SET "knownSince" = NULL`);
  for (const statement of backFill()) await store.prisma.$executeRawUnsafe(statement);
  expect(await rows()).toEqual(written);
  const [left] = await store.prisma.$queryRawUnsafe<{ unknown: number; untouched: number; nameless: number }[]>(
    `SELECT (count(*) FILTER (WHERE d."knownSince" IS NULL AND d."firstSeen" IS NOT NULL))::int AS unknown,
       (count(*) FILTER (WHERE NOT EXISTS (SELECT FROM "PresenceTouched" t WHERE t."deviceId" = d."id")))::int AS untouched,
       (count(*) FILTER (WHERE d."iotId" IS NOT NULL AND NOT EXISTS (
         SELECT FROM "DeviceIdentity" k WHERE k."deviceId" = d."id" AND k."value" = d."iotId" AND k."at" <= d."iotIdAt")))::int AS nameless
     FROM "Device" d`,
  );
  expect(left).toEqual({ unknown: 0, untouched: 0, nameless: 0 });
});
