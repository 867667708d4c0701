// @ts-check
import pg from 'pg';

const time = (/** @type {string} */ column) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
const short = (/** @type {string} */ text) =>
  `CASE WHEN length(${text}) > 2000 THEN left(${text}, 10) || '… ' || length(${text}) || ' characters, MD5 ' || md5(${text}) ELSE ${text} END`;
const DEVICE = `d."productKey" || ':' || d."deviceName"`;

/** Every row of every table that holds facts, as one line of text: no surrogate keys, no times of receipt. */
const ROWS = [
  `SELECT concat_ws(' ', 'device', ${DEVICE},
      'iotId=' || "iotId" || '@' || ${time('"iotIdAt"')},
      'deviceType=' || "deviceType" || '@' || ${time('"deviceTypeAt"')},
      'online=' || online || ' since=' || ${time('since')} || ' by=' || ${time('"presenceOrder"')},
      'offlineReason=' || "offlineReason",
      'lifecycle=' || lifecycle || '@' || ${time('"lifecycleAt"')},
      'created=' || ${time('"createdAt"')},
      'gateway=' || "gatewayProductKey" || ':' || "gatewayDeviceName" || '@' || ${time('"gatewayAt"')},
      'seen=' || ${time('"firstSeen"')} || '..' || ${time('"lastSeen"')})
    FROM "Device" d`,
  `SELECT concat_ws(' ', 'tag', ${DEVICE}, t.key || '=' || t.value, ${time('t.at')})
    FROM "DeviceTag" t JOIN "Device" d ON d.id = t."deviceId"`,
  `SELECT concat_ws(' ', 'current', ${DEVICE}, p.identifier, ${time('p.at')}, ${short(`coalesce(p.number::text, 'json ' || p.json::text)`)})
    FROM "DeviceProperty" p JOIN "Device" d ON d.id = p."deviceId"`,
  `SELECT concat_ws(' ', 'reading', ${DEVICE}, p.identifier, ${time('r.at')},
      ${short(`coalesce(r.number::text, 'json ' || r.json::text, 'several ' || r.several::text)`)})
    FROM "partitions"."EveryReading" r JOIN "DeviceProperty" p ON p.id = r."seriesId" JOIN "Device" d ON d.id = p."deviceId"`,
  `SELECT concat_ws(' ', 'event', coalesce(${DEVICE}, e."productKey"), ${time('e.at')}, e.kind, e.identifier,
      'name=' || e.name, 'type=' || e.type, 'requestId=' || e."requestId", ${short('e.value::text')})
    FROM "EventLog" e LEFT JOIN "Device" d ON d.id = e."deviceId"`,
  `SELECT concat_ws(' ', 'binding', ${DEVICE}, b."identityId" || '/' || b."scopeId" || '/' || b."tenantId",
      CASE WHEN b.owned THEN 'owner' ELSE 'shared' END, CASE WHEN b.bound THEN 'bound' ELSE 'unbound' END, ${time('b.at')},
      'from=' || ${time('b."from"')}, 'until=' || ${time('b.until')})
    FROM "UserBinding" b JOIN "Device" d ON d.id = b."deviceId"`,
];

/** @typedef {{ received: number, stored: number, duplicate: number, 'set-aside': number }} Counts */

/** Looks into the mirror's database, past everything of ours but its tables. */
export class Mirror {
  #pool;

  /** @param {string} url */
  constructor(url) {
    this.#pool = new pg.Pool({ connectionString: url, max: 1, options: '-c timezone=UTC' });
  }

  /** @returns {Promise<string[]>} sorted */
  async rows() {
    const rows = [];
    for (const sql of ROWS) rows.push(...(await this.#column(sql)));
    return rows.sort();
  }

  /** @returns {Promise<Counts>} */
  async counts() {
    const { rows } = await this.#pool.query(
      // Shares of these, such as `late`, depend on how the messages fell into batches.
      `SELECT split_part(outcome, ':', 1) AS outcome, sum(count)::int AS count FROM "IngestCount"
       WHERE split_part(outcome, ':', 1) IN ('received', 'stored', 'duplicate', 'set-aside') GROUP BY 1`,
    );
    return {
      received: 0,
      stored: 0,
      duplicate: 0,
      'set-aside': 0,
      ...Object.fromEntries(rows.map((row) => [row.outcome, row.count])),
    };
  }

  /**
   * How many readings a product has.
   * @param {string} productKey
   */
  async readings(productKey) {
    const { rows } = await this.#pool.query(
      `SELECT count(*)::int AS count FROM "partitions"."EveryReading" r JOIN "DeviceProperty" p ON p.id = r."seriesId"
       JOIN "Device" d ON d.id = p."deviceId" WHERE d."productKey" = $1`,
      [productKey],
    );
    return /** @type {number} */ (rows[0].count);
  }

  /** @returns {Promise<{ reason: string, detail: string, transport: string, messageId: string | null, topic: string | null, generateTime: string | null, properties: string, body: Buffer }[]>} */
  async setAside() {
    return (await this.#pool.query('SELECT * FROM "SetAsideMessage"')).rows;
  }

  /** Everything in the database, as text. */
  async everything() {
    const tables = await this.#column(
      `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'partitions')`,
    );
    const texts = [];
    for (const table of tables) texts.push(...(await this.#column(`SELECT t::text FROM ${table} t`)));
    return texts.join('\n');
  }

  async close() {
    await this.#pool.end();
  }

  /**
   * @param {string} sql
   * @returns {Promise<string[]>}
   */
  async #column(sql) {
    const { rows } = await this.#pool.query({ text: sql, rowMode: 'array' });
    return rows.map(([value]) => value);
  }
}
