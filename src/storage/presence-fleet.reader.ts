import { Injectable } from '@nestjs/common';
import type { FilterExpression } from '../domain/filter-expression.js';
import { filterSql } from './filter-sql.js';
import { commonSpan, EVERY_PRODUCT, spanStart, type Span } from './presence-spans.js';
import { type Page, pageOf, type PageRequest, Parameters } from './read-columns.js';
import { type Query, Snapshots } from './snapshots.js';

/** How many devices are what. Deleted ones are none of them. */
export interface FleetCount {
  readonly online: number;
  readonly offline: number;
  /** No status message came yet, or none since the device was made anew. */
  readonly unknown: number;
}

/** The same of one product. */
export interface ProductCount extends FleetCount {
  readonly productKey: string;
}

/** The same at a time. */
export interface FleetPoint extends FleetCount {
  readonly at: Date;
}

/** The place of a product in the list. */
export type ProductPlace = readonly [productKey: string];

interface Row extends FleetCount {
  readonly index: number;
}

const NONE: FleetCount = { online: 0, offline: 0, unknown: 0 };
const SUMS = `coalesce(sum(c."online"), 0)::int AS "online", coalesce(sum(c."offline"), 0)::int AS "offline",
  coalesce(sum(c."unknown"), 0)::int AS "unknown"`;

/** Answers how many devices are and were online. The counts are kept beside what is written, about a second behind. */
@Injectable()
export class PresenceFleetReader {
  constructor(private readonly snapshots: Snapshots) {}

  /** All products together, and one by one in the order of their keys. */
  async now(
    page: PageRequest<ProductPlace>,
  ): Promise<{ readonly total: FleetCount; readonly products: Page<ProductCount, ProductPlace> }> {
    return this.snapshots.read(async (query) => {
      const [total = NONE] = await query<FleetCount>(
        `SELECT c."online", c."offline", c."unknown" FROM "PresenceCount" c WHERE c."productKey" = '' AND c."span" = 'ever'`,
      );
      const rows = await query<ProductCount>(
        `SELECT c."productKey", c."online", c."offline", c."unknown" FROM "PresenceCount" c
         WHERE c."span" = 'ever' AND c."productKey" IN (${NEXT_PRODUCTS})
         ORDER BY c."productKey"`,
        page.after?.[0] ?? EVERY_PRODUCT,
        page.limit + 1,
      );
      const products = pageOf(
        rows,
        page.limit,
        (row) => row,
        (row) => [row.productKey] as const,
      );
      return { total, products };
    });
  }

  /** The devices that fulfil a condition now, counted one by one: a large fleet takes its time. */
  async nowOf(
    filter: FilterExpression,
  ): Promise<{ readonly total: FleetCount; readonly products: readonly ProductCount[] }> {
    const parameters = new Parameters();
    const condition = filterSql(filter, parameters);
    const products = await this.snapshots.read((query) =>
      query<ProductCount>(
        `SELECT d."productKey", (count(*) FILTER (WHERE d."online"))::int AS "online",
           (count(*) FILTER (WHERE NOT d."online"))::int AS "offline",
           (count(*) FILTER (WHERE d."online" IS NULL))::int AS "unknown"
         FROM "Device" d WHERE d."lifecycle" IS DISTINCT FROM 'delete' AND ${condition}
         GROUP BY d."productKey" ORDER BY d."productKey"`,
        ...parameters.values,
      ),
    );
    return { total: products.reduce(sum, NONE), products };
  }

  /** The counts at some moments, in order, each at the beginning of a minute. Of one product, or of all. */
  async curve(moments: readonly number[], productKey: string | null): Promise<readonly FleetPoint[]> {
    const [first] = moments;
    const span = commonSpan(moments);
    if (first === undefined || span === null) return [];
    const product = productKey ?? EVERY_PRODUCT;
    return this.snapshots.read(async (query) => {
      let count = await countAt(query, product, first);
      const more = await changes(query, product, span, moments);
      return moments.map((at, index) => {
        count = sum(count, more.get(index) ?? NONE);
        return { at: new Date(at), ...count };
      });
    });
  }
}

/** Keys of products in order, one descent of the index each: their rows lie among those of all other spans. $1 after which, $2 how many. */
const NEXT_PRODUCTS = `
WITH RECURSIVE product AS (
  SELECT (SELECT min(c."productKey") FROM "PresenceCount" c WHERE c."productKey" > $1::text) AS key, 1 AS place
  UNION ALL
  SELECT (SELECT min(c."productKey") FROM "PresenceCount" c WHERE c."productKey" > p.key), p.place + 1
  FROM product p WHERE p.key IS NOT NULL AND p.place < $2::int
)
SELECT key FROM product WHERE key IS NOT NULL`;

/** What became of the counts before a moment: whole months, then days, hours and minutes. */
async function countAt(query: Query, product: string, at: number): Promise<FleetCount> {
  const parameters = new Parameters();
  const key = parameters.add(product, 'text');
  const spans: readonly Span[] = ['month', 'day', 'hour', 'minute'];
  const stretches = spans.map((span, index) => {
    const outer = spans[index - 1];
    const from = outer === undefined ? null : spanStart(outer, at);
    const conditions = [
      `c."productKey" = ${key}`,
      `c."span" = ${parameters.add(span, 'text')}`,
      `c."start" < ${parameters.add(utc(spanStart(span, at)), 'timestamptz')}`,
    ];
    if (from !== null) conditions.push(`c."start" >= ${parameters.add(utc(from), 'timestamptz')}`);
    return `SELECT c."online", c."offline", c."unknown" FROM "PresenceCount" c WHERE ${conditions.join(' AND ')}`;
  });
  const [row = NONE] = await query<FleetCount>(
    `SELECT ${SUMS} FROM (${stretches.join(' UNION ALL ')}) c`,
    ...parameters.values,
  );
  return row;
}

/** What became of them between each of the moments and the one before it, by the place of the later one. */
async function changes(
  query: Query,
  product: string,
  span: Span,
  moments: readonly number[],
): Promise<Map<number, FleetCount>> {
  const rows = await query<Row>(
    `SELECT width_bucket(c."start", $3::text::timestamptz[]) AS "index", ${SUMS}
     FROM "PresenceCount" c
     WHERE c."productKey" = $1::text AND c."span" = $2::text AND c."start" >= $4::timestamptz AND c."start" < $5::timestamptz
     GROUP BY 1`,
    product,
    span,
    `{${moments.map(utc).join(',')}}`,
    utc(moments[0] ?? 0),
    utc(moments.at(-1) ?? 0),
  );
  return new Map(rows.map(({ index, online, offline, unknown }) => [index, { online, offline, unknown }]));
}

function sum(a: FleetCount, b: FleetCount): FleetCount {
  return { online: a.online + b.online, offline: a.offline + b.offline, unknown: a.unknown + b.unknown };
}

function utc(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
