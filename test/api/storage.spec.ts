import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { query } from '../../scripts/postgres/connection.mjs';
import { StorageKeeper } from '../../src/storage/storage.keeper.js';
import { aNumber, anEvent, aReading, startApi, type TestApi } from '../support/api.js';
import { until } from '../support/until.js';

const METER = { productKey: 'a1Meter', deviceName: 'meter-1' };
const LOCK = { productKey: 'a1Lock', deviceName: 'lock-1' };
const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 1, 0, minute));

describe('GET /v1/storage', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi({
      settings: {
        RETENTION_READINGS_DAYS: '36500',
        RETENTION_PRODUCTS: 'a1Lock:readings=keep, a1Old:events=30',
        PACK_READINGS_AFTER_DAYS: '10000',
      },
    });
    const minutes = Array.from({ length: 500 }, (_, minute) => minute);
    await api.happened(
      ...minutes.map((minute) => aReading(METER, 'p', aNumber(String(minute)), at(minute))),
      ...minutes.slice(0, 5).map((minute) => aReading(LOCK, 'p', aNumber(String(minute)), at(minute))),
      anEvent(METER, 'e', at(1)),
    );
  });
  afterAll(() => api.close());

  const table = async (name: string): Promise<Record<string, unknown> | undefined> => {
    const { body } = await api.get('/v1/storage');
    return (body['tables'] as Record<string, unknown>[]).find((each) => each['table'] === name);
  };

  it('tells the rules, and what each month that holds something takes', async () => {
    expect((await api.get('/v1/storage')).body).toMatchObject({ packReadingsAfterDays: 10_000 });
    expect(await table('PropertyReading')).toMatchObject({
      oldest: '2026-03',
      keepDays: 36_500,
      products: { a1Lock: null },
      months: [{ month: '2026-03', packed: null }],
    });
    expect(await table('EventLog')).toMatchObject({ keepDays: null, products: { a1Old: 30 }, oldest: '2026-03' });
    await query(api.databaseUrl, 'ANALYZE');
    expect(await table('PropertyReading')).toMatchObject({ months: [{ rows: 505, bytes: expect.any(Number) }] });
  });

  it('tells what is packed, of which products, and when; and what came late for it', async () => {
    const keeper = api.app.get(StorageKeeper, { strict: false });
    await until(async () => expect(await keeper.keep(new Date('2056-07-01'))).not.toBeNull()); // not beside the one of the start
    const packed = { readings: 505, at: '2056-07-01T00:00:00.000Z', products: { a1Lock: 5 } };
    expect(await table('PropertyReading')).toMatchObject({ months: [{ month: '2026-03', rows: 0, bytes: 0, packed }] });
    await api.happened(aReading(METER, 'p', aNumber('1'), new Date(at(1).getTime() + 1)));
    await query(api.databaseUrl, 'ANALYZE');
    expect(await table('PropertyReading')).toMatchObject({ months: [{ month: '2026-03', rows: 1, packed }] });
  });

  it('goes on telling the history of what was packed, over REST', async () => {
    const items = await api.walk('/v1/devices/a1Meter:meter-1/readings?order=asc', 100);
    expect(items.map(({ value }) => value)).toEqual([0, 1, 1, ...Array.from({ length: 498 }, (_, n) => n + 2)]);
  });
});
