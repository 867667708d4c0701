// @ts-check
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { query } from '../postgres/connection.mjs';
import { sizeOf } from './databases.mjs';
import { DEVICES, PROPERTIES } from './workload.mjs';

/** Messages in a batch, as the service's credit makes them. */
const BATCH_MESSAGES = 500;
const SERIES = DEVICES * PROPERTIES;

/**
 * Fills one month of readings in the order of arrival with the service's own statement, and measures it as it grew, after
 * VACUUM (FREEZE) and REINDEX, and packed as the service does it with a month that is over.
 * @param {{ dist: string, url: string, readings: number }} options
 */
export async function measureClosedMonth({ dist, url, readings }) {
  const load = (/** @type {string} */ file) => import(pathToFileURL(path.join(dist, 'storage', file)).href);
  const { INSERT_READINGS } = await load('write-statements.js');
  const { column } = await load('columns.js');
  const now = new Date();
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
  const partition = `"partitions"."PropertyReading_${month.toISOString().slice(0, 7).replace('-', '_')}"`;
  const rounds = Math.ceil(readings / SERIES);
  const everyMs = Math.floor((27 * 86_400_000) / rounds);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (let round = 0; round < rounds; round++) {
      for (let first = 0; first < DEVICES; first += BATCH_MESSAGES) {
        const rows = [];
        for (let device = first; device < first + BATCH_MESSAGES; device++) {
          const at = new Date(month.getTime() + round * everyMs + device * 37);
          const values = [(1_800 + ((round * 7 + device) % 1_200)) / 100, 20 + ((round + device) % 60)];
          for (const [index, number] of [...values, (device * 1_000 + round * 13) / 1_000].entries()) {
            rows.push({ series: device * PROPERTIES + index + 1, at, number });
          }
        }
        const none = column(rows, () => null);
        await client.query(INSERT_READINGS, [
          column(rows, (/** @type {{ series: number }} */ { series }) => series),
          column(rows, (/** @type {{ at: Date }} */ { at }) => at),
          column(rows, (/** @type {{ number: number }} */ { number }) => number),
          none,
          none,
        ]);
      }
    }
    const live = await sizeOf(url, 'PropertyReading');
    await client.query(`VACUUM (FREEZE, ANALYZE) ${partition}`);
    await client.query(`REINDEX TABLE ${partition}`);
    const closed = await sizeOf(url, 'PropertyReading');
    return { live, closed, packed: await measurePacking(load, url, month) };
  } finally {
    await client.end();
  }
}

/**
 * @param {(file: string) => Promise<any>} load
 * @param {string} url
 * @param {Date} month
 */
async function measurePacking(load, url, month) {
  const [{ LongWork }, { partitionNamed }, { ReadingPacker }, { Retention }] = await Promise.all(
    ['long-work.js', 'partition-names.js', 'reading.packer.js', '../domain/retention.js'].map(load),
  );
  const name = `PropertyReading_${month.toISOString().slice(0, 7).replace('-', '_')}`;
  const begun = performance.now();
  const { taken } = await LongWork.on(url, (/** @type {unknown} */ db) =>
    new ReadingPacker(db, new Retention(null), new Date()).pack(partitionNamed(name)),
  );
  const seconds = (performance.now() - begun) / 1000;
  const chunks = `"partitions"."${name.replace('PropertyReading', 'ReadingChunk')}"`;
  const { rows } = await query(url, `SELECT pg_total_relation_size('${chunks}')::float8 AS bytes`);
  return { rows: taken, bytesPerRow: rows[0].bytes / taken, perSecond: taken / seconds };
}
