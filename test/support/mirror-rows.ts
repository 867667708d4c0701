import type { PrismaService } from '../../src/storage/prisma.service.js';

/** What the tables say of the devices of some products, without surrogate keys, receipt times and counters. */
export interface MirrorRows {
  readonly devices: readonly string[];
  readonly tags: readonly string[];
  readonly properties: readonly string[];
  readonly readings: readonly string[];
  readonly events: readonly string[];
  readonly bindings: readonly string[];
}

const ROWS: Record<keyof MirrorRows, string> = {
  devices: `SELECT d."productKey" AS pk, (to_jsonb(d) - 'id' - 'productKey' - 'lastSeenHour')::text AS row FROM "Device" d`,
  tags: `SELECT d."productKey" AS pk, concat_ws(' ', d."deviceName", t."key", t."value", t."at") AS row
    FROM "DeviceTag" t JOIN "Device" d ON d."id" = t."deviceId"`,
  properties: `SELECT d."productKey" AS pk, concat_ws(' ', d."deviceName", p."identifier", p."at", p."number", p."json") AS row
    FROM "DeviceProperty" p JOIN "Device" d ON d."id" = p."deviceId"`,
  readings: `SELECT d."productKey" AS pk, concat_ws(' ', d."deviceName", p."identifier", r."at", r."number", r."json", r."several") AS row
    FROM "partitions"."EveryReading" r JOIN "DeviceProperty" p ON p."id" = r."seriesId" JOIN "Device" d ON d."id" = p."deviceId"`,
  events: `SELECT coalesce(d."productKey", e."productKey") AS pk,
      concat_ws(' ', d."deviceName", e."at", e."kind", coalesce(e."identifier", '-'), coalesce(e."name", '-'), e."type", e."requestId", e."value") AS row
    FROM "EventLog" e LEFT JOIN "Device" d ON d."id" = e."deviceId"`,
  bindings: `SELECT d."productKey" AS pk, (to_jsonb(b) - 'deviceId')::text || d."deviceName" AS row
    FROM "UserBinding" b JOIN "Device" d ON d."id" = b."deviceId"`,
};

/**
 * The rows of every product whose key begins with `prefix`, by product key; a product's own key is cut out of the rows, so
 * that two products that went through the same have equal rows.
 */
export async function mirrorRows(prisma: PrismaService, prefix: string): Promise<Map<string, MirrorRows>> {
  const found = new Map<string, Record<keyof MirrorRows, string[]>>();
  for (const table of Object.keys(ROWS) as (keyof MirrorRows)[]) {
    const rows = await prisma.$queryRawUnsafe<{ pk: string; row: string }[]>(
      `SELECT * FROM (${ROWS[table]}) t WHERE pk LIKE $1::text || '%' ORDER BY pk, row COLLATE "C"`,
      prefix,
    );
    for (const { pk, row } of rows) {
      const product = found.get(pk) ?? {
        devices: [],
        tags: [],
        properties: [],
        readings: [],
        events: [],
        bindings: [],
      };
      product[table].push(row.replaceAll(pk, '{pk}'));
      found.set(pk, product);
    }
  }
  for (const product of found.values()) for (const rows of Object.values(product)) rows.sort();
  return found;
}
