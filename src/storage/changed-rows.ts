import type { Transaction } from './prisma.service.js';
import { INSERT_EVENTS, INSERT_READINGS, RECOMPUTE_BINDINGS, UPDATE_DEVICES, UPSERT_TAGS } from './write-statements.js';

/** What the change log needs of the settings. */
export interface ChangeLogSettings {
  /** How long changes are kept for streams; 0 keeps no log. */
  readonly streamKeepHours?: number | undefined;
}

/** Whether changes are logged. */
export function keepsLog({ streamKeepHours = 24 }: ChangeLogSettings): boolean {
  return streamKeepHours > 0;
}

/** Two columns of the same length, each as an array literal; null when there is no row. */
interface Pairs {
  readonly left: string | null;
  readonly right: string | null;
}

const NONE: Pairs = { left: null, right: null };

/**
 * The rows that a transaction really changed, for the change log. They are pointers (ids, times, hashes) and stay array literals
 * on their way from one statement to the next: nothing looks at them one by one.
 */
export class ChangedRows {
  private readonly devices = new Set<number>();
  private presences: readonly number[] = [];
  private bindings = NONE;
  private events = NONE;
  private readings = NONE;

  constructor(private readonly tx: Transaction) {}

  /** Devices that were made just now. */
  made(ids: readonly number[]): void {
    for (const id of ids) this.devices.add(id);
  }

  async updateDevices(...columns: readonly string[]): Promise<void> {
    const [row] = await this.tx.$queryRawUnsafe<{ devices: number[] | null; presences: number[] | null }[]>(
      DEVICES_CHANGED,
      ...columns,
    );
    this.made(row?.devices ?? []);
    this.presences = row?.presences ?? [];
  }

  async upsertTags(...columns: readonly string[]): Promise<void> {
    const rows = await this.tx.$queryRawUnsafe<{ id: number }[]>(TAGS_CHANGED, ...columns);
    this.made(rows.map(({ id }) => id));
  }

  async recomputeBindings(...columns: readonly string[]): Promise<void> {
    this.bindings = await this.pairs(BINDINGS_CHANGED, columns);
  }

  async insertEvents(...columns: readonly string[]): Promise<void> {
    this.events = await this.pairs(EVENTS_CHANGED, columns);
  }

  async insertReadings(...columns: readonly string[]): Promise<void> {
    this.readings = await this.pairs(INSERT_READINGS, columns);
  }

  /**
   * Notes it all in the log. Last of what the transaction writes of devices: from here to the commit, streams wait for it, and
   * the place that it takes in the log is behind that of whoever changed the same devices before.
   */
  async log(): Promise<void> {
    const { devices, presences, bindings, events, readings } = this;
    const parts = [literal([...devices]), literal(presences), ...[bindings, events, readings].flatMap(columnsOf)];
    if (parts.every((part) => part === null)) return;
    await this.tx.$executeRawUnsafe(INSERT_CHANGES, ...parts);
  }

  private async pairs(sql: string, columns: readonly string[]): Promise<Pairs> {
    const [row] = await this.tx.$queryRawUnsafe<Pairs[]>(sql, ...columns);
    return row ?? NONE;
  }
}

function literal(ids: readonly number[]): string | null {
  return ids.length === 0 ? null : `{${[...ids].sort((a, b) => a - b).join(',')}}`;
}

function columnsOf({ left, right }: Pairs): (string | null)[] {
  return [left, right];
}

/** Times move with every message and are no change; what people see of a device is. */
const DEVICES_CHANGED = `
WITH changed AS (
  ${UPDATE_DEVICES}
  RETURNING d."id",
    (d."online", d."since", d."offlineReason")
      IS DISTINCT FROM ((w."old")."online", (w."old")."since", (w."old")."offlineReason") AS presence,
    (d."iotId", d."deviceType", d."lifecycle", d."createdAt", d."gatewayProductKey", d."gatewayDeviceName")
      IS DISTINCT FROM ((w."old")."iotId", (w."old")."deviceType", (w."old")."lifecycle", (w."old")."createdAt",
                        (w."old")."gatewayProductKey", (w."old")."gatewayDeviceName") AS attribute
)
SELECT array_agg(c."id") FILTER (WHERE c.attribute) AS "devices", array_agg(c."id") FILTER (WHERE c.presence) AS "presences"
FROM changed c`;

const TAGS_CHANGED = `
WITH changed AS (${UPSERT_TAGS} RETURNING t."deviceId")
SELECT DISTINCT c."deviceId" AS "id" FROM changed c`;

const BINDINGS_CHANGED = `
WITH changed AS (${RECOMPUTE_BINDINGS} RETURNING b."deviceId", b."at")
SELECT array_agg(c."deviceId")::text AS "left", array_agg(c."at")::text AS "right"
FROM (SELECT DISTINCT "deviceId", "at" FROM changed ORDER BY "at", "deviceId") c`;

const EVENTS_CHANGED = `
WITH changed AS (${INSERT_EVENTS} RETURNING e."at", e."hash")
SELECT array_agg(c."at")::text AS "left", array_agg(c."hash")::text AS "right" FROM (SELECT * FROM changed ORDER BY "at", "hash") c`;

/** $1 devices, $2 presences, $3 and $4 bindings, $5 and $6 events, $7 and $8 readings. */
const INSERT_CHANGES = `
INSERT INTO "ChangeLog" ("devices", "presences", "bindingDevices", "bindingTimes", "eventTimes", "eventHashes",
  "readingSeries", "readingTimes", "size")
SELECT c.*, coalesce(cardinality(c.devices), 0) + coalesce(cardinality(c.presences), 0) + coalesce(cardinality(c.bindings), 0)
  + coalesce(cardinality(c.events), 0) + coalesce(cardinality(c.readings), 0)
FROM (SELECT $1::text::int4[] AS devices, $2::text::int4[] AS presences, $3::text::int4[] AS bindings,
  $4::text::timestamptz[], $5::text::timestamptz[] AS events, $6::text::uuid[], $7::text::int4[] AS readings,
  $8::text::timestamptz[]) c`;
