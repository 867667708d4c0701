import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aBinding, after, anEvent, startApi, type TestApi } from '../support/api.js';
import { until } from '../support/until.js';

const LOCK = { productKey: 'a1Lock', deviceName: 'lock-1' };
/** Pino's number of the level. */
const DEBUG = 20;
const ANNA = '50ebop9d7384anna000001';

describe('erasing a user over REST', () => {
  let api: TestApi;
  const log: string[] = [];

  beforeAll(async () => {
    api = await startApi({ log: { write: (line: string) => void log.push(line) } });
    await api.happened(
      aBinding(LOCK, ANNA, true, after(10)),
      aBinding(LOCK, 'bert', true, after(10)),
      anEvent(LOCK, 'Opened', after(11), { value: `{"by": "${ANNA}"}` }),
    );
  });
  afterAll(() => api.close());

  it('answers with where the receipt is, and the receipt tells what was removed', async () => {
    const { status, headers, body } = await api.delete(`/v1/users/${ANNA}`);
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/erasures/${String(body['id'])}`);
    const receipt = await until(async () => {
      const answer = await api.get(headers.get('location') ?? '');
      expect(answer.body).toMatchObject({ state: 'done', removed: { UserBinding: 1, EventLog: 2 } });
      return answer;
    });
    expect(receipt.text).not.toContain(ANNA);
    expect((await api.get(`/v1/users/${ANNA}/devices`)).body['items']).toEqual([]);
    expect((await api.get('/v1/users/bert/devices')).body['items']).toHaveLength(1);
    for (const path of ['/v1/events', '/v1/erasures', '/v1/devices/a1Lock:lock-1/bindings?history=true']) {
      expect((await api.get(path)).text).not.toContain(ANNA);
    }
    await api.happened(aBinding(LOCK, ANNA, true, after(10)));
    expect((await api.get(`/v1/users/${ANNA}/devices`)).body['items']).toEqual([]);
  });

  it('is told to nobody in the log, unless addresses are logged for debugging', () => {
    const naming = log
      .filter((line) => line.includes(ANNA))
      .map((line) => JSON.parse(line) as { level: number; msg: string });
    expect(naming.filter(({ level }) => level > DEBUG)).toEqual([]);
    expect([...new Set(naming.map(({ msg }) => msg))]).toEqual(['Request answered']);
  });

  it.each([
    ['/v1/erasures/x', 400],
    ['/v1/erasures/8c1f6a52-3f0b-4d0e-8a51-1d6c2f1b7e91', 404],
  ])('%s is answered with %i', async (path, status) => {
    expect((await api.get(path)).status).toBe(status);
  });
});
