import { Parameters } from './read-columns.js';
import type { Query } from './snapshots.js';

/** What the index on parts of names knows: three letters or digits in a row. Of other scripts it may know nothing. */
const SEARCHABLE = /[A-Za-z0-9]{3}/;

/** A condition on a row `d` of "Device": whether its name or its iotId holds a text, whatever the case. */
export function nameHolds(part: string, parameters: Parameters): string {
  const text = `lower(${parameters.add(part, 'text')})`;
  return `(strpos(lower(d."deviceName"), ${text}) > 0 OR coalesce(strpos(lower(d."iotId"), ${text}) > 0, FALSE))`;
}

/**
 * The devices whose name or iotId holds a text, by the indexes on parts of names; null where there are none of these (the
 * server may lack pg_trgm), where they do not help, or where there are more devices than `limit`.
 */
export async function findByName(query: Query, part: string, limit: number): Promise<readonly number[] | null> {
  if (!SEARCHABLE.test(part)) return null;
  const [index] = await query<{ there: boolean }>(
    `SELECT to_regclass('"Device_deviceName_part_idx"') IS NOT NULL AND to_regclass('"Device_iotId_part_idx"') IS NOT NULL AS "there",
       set_config('enable_bitmapscan', 'on', true)`,
  );
  if (!index?.there) return null;
  const parameters = new Parameters();
  const pattern = `lower(${parameters.add(`%${part.replaceAll(/[\\%_]/g, '\\$&')}%`, 'text')})`;
  const most = parameters.add(limit + 1, 'int');
  const rows = await query<{ id: number }>(
    `(SELECT d."id" FROM "Device" d WHERE lower(d."deviceName") LIKE ${pattern} LIMIT ${most}) UNION
     (SELECT d."id" FROM "Device" d WHERE lower(d."iotId") LIKE ${pattern} LIMIT ${most})`,
    ...parameters.values,
  );
  return rows.length > limit ? null : rows.map(({ id }) => id);
}
