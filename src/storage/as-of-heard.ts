import { instant, type Instant } from './read-columns.js';
import type { Query } from './snapshots.js';

/** What an entry of the log must be for its device to have been heard then; see `heard` in write-plan.ts. Status messages tell it otherwise. */
const HEARD = `(e."kind" IN ('event-raised', 'sub-devices-found', 'upgrade-finished', 'upgrade-progressed', 'version-reported',
    'value-rejected', 'custom-message-received')
  OR e."kind" = 'command-replied' AND e."value"->>'code' NOT IN ('403', '429', '9200', '9201'))`;

/**
 * When devices were heard last up to a moment: at the time that is known already, or at that of a later entry of the log. A device
 * that was not heard at all is missing.
 */
export async function lastHeard(
  query: Query,
  devices: readonly { readonly id: number; readonly heard: Instant | null }[],
  at: Date,
): Promise<Map<number, Instant>> {
  const known = new Map<number, Instant>();
  for (const { id, heard } of devices) if (heard !== null) known.set(id, heard);
  const low = [...known.values()].sort()[0];
  if (low === undefined) return known;
  const rows = await query<{ id: number; at: Instant }>(
    `SELECT s.id, ${instant('l."at"')} AS "at"
     FROM unnest($1::text::int4[], $2::text::timestamptz[]) AS s(id, low)
     CROSS JOIN LATERAL (
       SELECT e."at" FROM "EventLog" e
       WHERE e."deviceId" = s.id AND e."at" > $3::timestamptz AND e."at" > s.low AND e."at" <= $4::timestamptz AND ${HEARD}
       ORDER BY e."at" DESC LIMIT 1
     ) l`,
    `{${[...known.keys()].join(',')}}`,
    `{${[...known.values()].join(',')}}`,
    low,
    at.toISOString(),
  );
  for (const { id, at: time } of rows) known.set(id, time);
  return known;
}
