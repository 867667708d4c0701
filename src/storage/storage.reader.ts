import { Inject, Injectable } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { type KeepDays, REST, type Retention, retentionOf } from '../domain/retention.js';
import { type Partition, monthOf, partitionNamed } from './partition-names.js';
import { instant, type Instant } from './read-columns.js';
import { Snapshots } from './snapshots.js';
import type { StorageSettings } from './storage.keeper.js';

/** What a month of a table takes. */
export interface StoredMonth {
  /** `2026-10`, or `before-2015`. */
  readonly month: string;
  /** What lies in the table itself; `rows` is an estimate, and null before there is one. */
  readonly rows: number | null;
  readonly bytes: number;
  /** What is packed of it, with indexes; null where nothing is. */
  readonly packed: PackedMonth | null;
}

export interface PackedMonth {
  readonly readings: number;
  readonly bytes: number;
  readonly bytesPerReading: number | null;
  /** When all that was there had been packed last. */
  readonly at: Instant | null;
  /** Readings of the products that have partitions of their own. */
  readonly products: Readonly<Record<string, number>>;
}

export interface StoredTable {
  readonly table: 'PropertyReading' | 'ReadingRollup' | 'EventLog';
  readonly bytes: number;
  /** The month of the oldest rows. */
  readonly oldest: string | null;
  /** Days that are kept, null for ever; and where products have a rule of their own, that. */
  readonly keepDays: KeepDays;
  readonly products: Readonly<Record<string, KeepDays>>;
  /** The months that hold something, newest first. */
  readonly months: readonly StoredMonth[];
}

export interface StorageView {
  /** How many days after its end a month of readings is packed; null never. */
  readonly packReadingsAfterDays: number | null;
  readonly tables: readonly StoredTable[];
}

interface Size {
  readonly name: string;
  readonly rows: number | null;
  readonly filled: boolean;
  readonly bytes: number;
}

interface Note {
  readonly table: string;
  readonly month: string;
  readonly product: string;
  readonly packed: string;
  readonly packedAt: Instant | null;
}

type Sized = Size & { readonly partition: Partition };

/** Tells what history takes in the database, month by month, and how long it is kept. */
@Injectable()
export class StorageReader {
  constructor(
    private readonly snapshots: Snapshots,
    @Inject(Settings) private readonly settings: Omit<StorageSettings, 'databaseUrl'>,
  ) {}

  /** @throws SinkUnavailable */
  async storage(): Promise<StorageView> {
    const { sizes, notes } = await this.snapshots.read(async (query) => ({
      sizes: await query<Size>(SIZES),
      notes: await query<Note>(
        `SELECT "table", "month"::text, "product", "packed"::text, ${instant('"packedAt"')} AS "packedAt" FROM "StorageMonth"`,
      ),
    }));
    const sized = sizes.flatMap((size): Sized[] => {
      const partition = partitionNamed(size.name);
      return partition ? [{ ...size, partition }] : [];
    });
    const { readings, events } = retentionOf(this.settings);
    return {
      packReadingsAfterDays: this.settings.packReadingsAfterDays ?? null,
      tables: [storedTable('PropertyReading', readings, sized, notes), storedTable('EventLog', events, sized, notes)],
    };
  }
}

const SIZES = `
SELECT c.relname::text AS "name", CASE WHEN c.relpages > 0 THEN round(c.reltuples::numeric * pg_relation_size(c.oid) / (c.relpages * 8192.0))::float8 END AS "rows",
  coalesce(pg_relation_size(c.oid), 0) > 0 AS "filled", coalesce(pg_total_relation_size(c.oid), 0)::float8 AS "bytes"
FROM pg_class c
WHERE c.relnamespace = 'partitions'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^(PropertyReading|ReadingChunk|ReadingRollup|EventLog)_'`;

const PARTITIONS_OF: Record<StoredTable['table'], readonly Partition['table'][]> = {
  PropertyReading: ['PropertyReading', 'ReadingChunk'],
  ReadingRollup: ['ReadingRollup'],
  EventLog: ['EventLog'],
};

function storedTable(
  table: StoredTable['table'],
  retention: Retention,
  sizes: readonly Sized[],
  notes: readonly Note[],
): StoredTable {
  const own = sizes.filter(({ partition }) => PARTITIONS_OF[table].includes(partition.table));
  const months = [...new Set(own.filter(({ filled }) => filled).map(({ partition }) => monthOf(partition)))]
    .sort()
    .reverse()
    .map((month) =>
      storedMonth(
        month,
        table,
        own.filter(({ partition }) => monthOf(partition) === month),
        notes,
      ),
    );
  return {
    table,
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
    oldest: months.at(-1)?.month ?? null,
    keepDays: retention.rest,
    products: Object.fromEntries([...retention.products].sort(([a], [b]) => (a < b ? -1 : 1))),
    months,
  };
}

function storedMonth(month: string, table: string, sizes: readonly Sized[], notes: readonly Note[]): StoredMonth {
  const hot = sizes.find(({ partition }) => partition.table === table);
  const own = notes.filter((note) => note.table === table && note.month === month);
  const readings = own.reduce((sum, { packed }) => sum + Number(packed), 0);
  const bytes = sizes
    .filter(({ partition }) => partition.table === 'ReadingChunk')
    .reduce((sum, size) => sum + size.bytes, 0);
  const named = own.filter(({ product, packed }) => product !== REST && packed !== '0');
  const packed =
    readings === 0
      ? null
      : {
          readings,
          bytes,
          bytesPerReading: Math.round((bytes / readings) * 100) / 100,
          at: own.find(({ product }) => product === REST)?.packedAt ?? null,
          products: Object.fromEntries(named.map(({ product, packed: count }) => [product, Number(count)])),
        };
  return {
    month: month < '2015' ? 'before-2015' : month.slice(0, 7),
    rows: hot ? hot.rows : 0,
    bytes: hot?.bytes ?? 0,
    packed,
  };
}
