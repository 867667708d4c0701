import { Logger } from '@nestjs/common';
import { Retention, type RetentionSettings } from '../../src/domain/retention.js';
import { LongWork } from '../../src/storage/long-work.js';
import { partitionNamed } from '../../src/storage/partition-names.js';
import { partitionName } from '../../src/storage/partitions.js';
import { type Packing, ReadingPacker } from '../../src/storage/reading.packer.js';
import { readingsOf, type Walk } from '../../src/storage/reading-source.js';
import { StorageKeeper, type StorageWork } from '../../src/storage/storage.keeper.js';
import { openStore, type TestStore } from './writer.js';

/** A reading as the database shows it: every column as text. */
export interface ShownReading {
  readonly at: string;
  readonly number: string | null;
  readonly json: string | null;
  readonly several: string | null;
}

/** A store whose readings can be packed at any time. */
export interface ColdStore extends TestStore {
  sql<Row = Record<string, unknown>>(text: string, ...values: readonly unknown[]): Promise<Row[]>;
  /** Does what the service does every hour, at a time of the test's choosing. */
  keep(
    now: Date,
    settings?: RetentionSettings & { readonly packReadingsAfterDays?: number | undefined },
  ): Promise<StorageWork | null>;
  /** Packs a month, into chunks and in batches as small as told. */
  pack(month: Date, sizes: { readonly batchReadings: number; readonly chunkReadings: number }): Promise<Packing>;
  /** The hot partition of a month, which a packed month has none of. */
  addMonth(at: Date): Promise<void>;
  /** A series of a device of a product, made by hand. */
  aSeries(product?: string): Promise<number>;
  /** Readings as the API reads them. */
  read(
    series: number,
    from: Date,
    to: Date,
    walk?: { readonly order: Walk['order']; readonly limit: number },
  ): Promise<ShownReading[]>;
}

export async function openColdStore(): Promise<ColdStore> {
  const store = await openStore();
  const sql = <Row>(text: string, ...values: readonly unknown[]): Promise<Row[]> =>
    store.prisma.$queryRawUnsafe<Row[]>(text, ...values);
  Logger.overrideLogger(false);
  let made = 0;
  return {
    ...store,
    sql,
    keep: (now, settings = {}) =>
      new StorageKeeper({ databaseUrl: store.url, packReadingsAfterDays: 1, ...settings }).keep(now),
    pack: (month, sizes) => {
      const partition = partitionNamed(partitionName({ table: 'PropertyReading', day: month.toISOString() }));
      if (!partition) throw new Error('no month');
      return LongWork.on(store.url, (db) =>
        new ReadingPacker(db, new Retention(null), new Date(), () => true, sizes).pack(partition),
      );
    },
    addMonth: (at) => store.partitions.add([{ table: 'PropertyReading', day: at.toISOString().slice(0, 10) }]),
    aSeries: async (product = 'a1') => {
      const [series] = await sql<{ id: number }>(
        `WITH d AS (INSERT INTO "Device" ("productKey", "deviceName") VALUES ($1, $2) RETURNING "id")
         INSERT INTO "DeviceProperty" ("deviceId", "identifier") SELECT "id", 'p' FROM d RETURNING "id"`,
        product,
        `device-${++made}`,
      );
      return series?.id ?? 0;
    },
    read: (series, from, to, walk) => {
      const values = [series, from.toISOString(), to.toISOString(), ...(walk ? [walk.limit] : [])];
      const readings = readingsOf(
        '$1::int',
        '$2::timestamptz',
        '$3::timestamptz',
        [],
        walk && { ...walk, limit: '$4::int' },
      );
      return sql(
        `SELECT r."at"::text, r."number"::text, r."json"::text, r."several"::text FROM (${readings}) r
         ${walk ? '' : 'ORDER BY r."at"'}`,
        ...values,
      );
    },
  };
}
