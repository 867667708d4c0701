import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import http from 'node:http';
import { gunzipSync } from 'node:zlib';
import { query } from '../../scripts/postgres/connection.mjs';
import { after, aNumber, aReading, startApi, type TestApi } from '../support/api.js';
import { until } from '../support/until.js';

const ROWS = 3_000;
/** One series with more text than all buffers between the service and its caller hold. */
const SERIES = [
  `INSERT INTO "Device" ("productKey", "deviceName", "firstSeen", "lastSeen") VALUES ('a1', 'meter', '2026-10-01Z', '2026-11-01Z')`,
  `INSERT INTO "DeviceProperty" ("deviceId", "identifier", "at", "number") SELECT "id", 'Total', '2026-10-30Z', 1 FROM "Device"`,
  `INSERT INTO "PropertyReading" ("at", "seriesId", "json")
   SELECT TIMESTAMPTZ '2026-10-01Z' + n * INTERVAL '1 second', p."id", to_jsonb(lpad(n::text, 8000, '0')) FROM "DeviceProperty" p, generate_series(1, ${ROWS}) n`,
];

const LIST = '/v1/fleet/readings';
const ENCODINGS = [['identity'], ['gzip']];

describe('a whole list on its way out', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    for (const statement of SERIES) await query(api.databaseUrl, statement);
  });
  afterAll(() => api.close());

  /** Asks for the list over a connection of its own, and reads nothing of it before `text`. */
  const begin = async (encoding = 'identity', from = api) => {
    const headers = { accept: 'text/csv', 'accept-encoding': encoding };
    const request = http.get(from.url + LIST, { headers, agent: false });
    const [reply] = (await once(request, 'response')) as [http.IncomingMessage];
    return {
      status: reply.statusCode,
      text: async () => {
        const bytes = Buffer.concat(await reply.toArray());
        return String(encoding === 'gzip' ? gunzipSync(bytes) : bytes);
      },
      leave: () => reply.destroy(),
    };
  };

  it.each(ENCODINGS)('comes whole and in order, as %s', async (encoding) => {
    const list = await begin(encoding);
    const [header, ...lines] = (await list.text()).split('\r\n');
    expect(header).toBe('device,identifier,value,at,values');
    expect(lines).toHaveLength(ROWS + 1);
    expect(lines.slice(0, -1).every((line, n) => line.includes(`0${n + 1}""",2026-10-01T`))).toBe(true);
    expect(lines.at(-1)).toBe('');
  });

  it.each(ENCODINGS)('is not taken for a whole one when it breaks off, as %s', async (encoding) => {
    const list = await begin(encoding);
    expect(list.status).toBe(200);
    await query(api.databaseUrl, 'ALTER TABLE "Device" RENAME TO "Gone"');
    try {
      await expect(list.text()).rejects.toThrow();
    } finally {
      await query(api.databaseUrl, 'ALTER TABLE "Gone" RENAME TO "Device"');
    }
  });

  it('is one of a few: others are told when to come back, while pages are for everybody', async () => {
    const running = await Promise.all(Array.from({ length: 4 }, () => begin()));
    const refused = await api.get(LIST, { accept: 'text/csv' });
    expect(refused).toMatchObject({
      status: 503,
      type: 'application/problem+json; charset=utf-8',
      body: { type: 'urn:living-mirror:problem:too-many-exports' },
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await api.get(`${LIST}?limit=10`, { accept: 'text/csv' })).toMatchObject({ status: 200 });
    expect(await api.get(LIST)).toMatchObject({ status: 200 });

    for (const { leave } of running) leave();
    await until(async () => {
      const { status, leave } = await begin();
      leave();
      expect(status).toBe(200);
    });
  });

  it('breaks off when the service stops, which waits for nobody who does not read', async () => {
    const other = await startApi();
    for (const statement of SERIES) await query(other.databaseUrl, statement);
    const list = await begin('identity', other);
    await other.close();
    await expect(list.text()).rejects.toThrow();
  });
});

describe('the readings of the fleet', () => {
  it('come in pages of any size, each once and in one order', async () => {
    const api = await startApi();
    const reported = (deviceName: string, identifier: string, count: number) =>
      Array.from({ length: count }, (_, second) =>
        aReading({ productKey: 'a1', deviceName }, identifier, aNumber(String(second)), after(second)),
      );
    await api.happened(
      ...reported('one', 'A', 5),
      ...reported('one', 'B', 1),
      ...reported('two', 'A', 3),
      ...reported('two', 'C', 4),
    );
    const whole = (await api.get(LIST)).body['items'];
    expect(whole).toHaveLength(13);
    for (const limit of [1, 2, 3, 4, 5, 6, 9, 13]) expect(await api.walk(LIST, limit)).toEqual(whole);
    await api.close();
  });
});
