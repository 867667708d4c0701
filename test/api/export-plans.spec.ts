import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  FleetReadingReader,
  type FleetReadingPlace,
  type ReadingPage,
} from '../../src/storage/fleet-reading.reader.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';
import { ExplainedSnapshots } from '../support/explained-snapshots.js';

const EVERYTHING = { from: null, to: null };
const TEXT = { format: 'csv', beginning: (device: string, identifier: string) => `${device},${identifier},` } as const;

/** Devices with a reading of each property a day since 2019. */
const history = (productKey: string, devices: number): string[] => [
  `INSERT INTO "Device" ("productKey", "deviceName", "firstSeen", "lastSeen")
   SELECT '${productKey}', 'device-' || n, '2019-01-01Z', '2026-11-20Z' FROM generate_series(1, ${devices}) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number")
   SELECT d."id", 'p' || n, '2026-11-20Z', n FROM "Device" d, generate_series(1, 3) n WHERE d."productKey" = '${productKey}'`,
  `INSERT INTO "PropertyReading" ("at", "seriesId", "number")
   SELECT moment, p."id", 1 FROM "DeviceProperty" p JOIN "Device" d ON d."id" = p."deviceId" AND d."productKey" = '${productKey}',
     generate_series(TIMESTAMPTZ '2019-01-01Z', '2026-11-19Z', INTERVAL '1 day') moment`,
  'VACUUM ANALYZE',
];

/** Many more that never reported, with the same properties: so that no table is small. */
const SILENT = [
  `INSERT INTO "Device" ("productKey", "deviceName", "firstSeen", "lastSeen")
   SELECT 'z9', 'silent-' || n, '2026-11-19Z', '2026-11-20Z' FROM generate_series(1, 6000) n`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number")
   SELECT d."id", 'p' || n, '2026-11-20Z', n FROM "Device" d, generate_series(1, 3) n`,
];

describe('an export of the fleet', () => {
  let database: TestDatabase;
  let prisma: PrismaService;

  beforeAll(async () => {
    database = await freshDatabase();
    prisma = new PrismaService({ databaseUrl: database.url });
    for (const statement of [...SILENT, ...history('a1', 5)]) await prisma.$executeRawUnsafe(statement);
  }, 120_000);
  afterAll(async () => {
    await prisma.$disconnect();
    await database.drop();
  });

  /** Asks for a page in the middle, and says what that took. */
  async function page(filter: object, limit: number, after: FleetReadingPlace | null) {
    const snapshots = new ExplainedSnapshots(prisma);
    const found: ReadingPage = await new FleetReadingReader(snapshots).page(
      { ...EVERYTHING, ...filter },
      { limit, after },
      TEXT,
    );
    return { found, blocks: snapshots.blocks(), scans: snapshots.scans() };
  }

  it('reads no more for a page than the page holds, whatever there is behind it', async () => {
    const place: FleetReadingPlace = ['a1', 'device-3', 'p2', '2022-06-10T00:00:00.000Z'];
    const few = await page({ productKey: 'a1' }, 200, place);
    expect(few.found).toMatchObject({ rows: 200, next: ['a1', 'device-3', 'p2', '2022-12-27T00:00:00.000Z'] });
    expect(few.scans.filter((scan) => scan.startsWith('Seq Scan') && !scan.includes('ReadingChunk'))).toEqual([]);
    for (const statement of history('b1', 45)) await prisma.$executeRawUnsafe(statement);
    const many = await page({}, 200, place);
    expect(many.found.text).toBe(few.found.text);
    expect(many.blocks).toBeLessThanOrEqual(few.blocks * 2);
  }, 120_000);

  it('touches the partitions of its range only', async () => {
    const { found, scans } = await page(
      { productKey: 'a1', identifiers: ['p1'], from: new Date('2022-03-05Z'), to: new Date('2022-03-25Z') },
      1000,
      null,
    );
    expect(found.rows).toBe(100);
    expect(new Set(scans.filter((scan) => /PropertyReading_\d/.test(scan))).size).toBeLessThanOrEqual(2);
  });

  it('comes through devices that have nothing of it, in pages that may be empty', async () => {
    const [stored] = await prisma.$queryRawUnsafe<{ count: number }[]>(
      `SELECT count(*)::int AS count FROM "PropertyReading" r JOIN "DeviceProperty" p ON p."id" = r."seriesId" WHERE p."identifier" = 'p3'`,
    );
    const reader = new FleetReadingReader(new ExplainedSnapshots(prisma));
    let [rows, pages, after]: [number, number, FleetReadingPlace | null] = [0, 0, null];
    do {
      const found: ReadingPage = await reader.page(
        { ...EVERYTHING, identifiers: ['p3'] },
        { limit: 100_000, after },
        TEXT,
      );
      [rows, pages, after] = [rows + found.rows, pages + 1, found.next];
    } while (after);
    expect([rows, pages > 1]).toEqual([stored?.count, true]);
  });
});
