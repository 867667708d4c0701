import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import type { RefusalReason } from '../../src/domain/raw-message.js';
import { after, startApi, type TestApi } from '../support/api.js';
import { aMessage, aPropertyReport } from '../support/messages.js';
import { refusedAs } from '../support/writer.js';

const id = (digit: number): string => String(digit).repeat(32);

function refused(digit: number, reason: RefusalReason, body: Buffer | string, seconds = digit): DecodedMessage {
  const raw = aMessage({
    body,
    messageId: '1460129463911234567',
    topic: '/a/b\0',
    properties: { qos: '1', __proto__: 'x' },
    receivedAt: after(seconds),
  });
  return refusedAs({ reason, detail: `because of ${reason}` }, { key: id(digit), raw });
}

describe('set-aside messages over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    const good = aPropertyReport({ raw: { receivedAt: after(6) } });
    await api.write(
      refused(1, 'not-json', '{"half": '),
      refused(2, 'not-json', Buffer.from('ff00fe', 'hex')),
      refused(3, 'unknown-topic', 'text'),
      refused(4, 'unknown-topic', 'text', 3), // the same millisecond
      refused(5, 'too-deep', ''),
      refusedAs({ reason: 'no-device', detail: 'an older version did not know' }, { key: id(6), raw: good }),
    );
  });
  afterAll(() => api.close());

  const ids = async (query: string): Promise<unknown[]> =>
    (await api.walk(`/v1/set-aside${query}`, 1)).map((item) => Number(String(item['id']).charAt(0)));

  it('are listed with the reason, the newest first', async () => {
    expect(await ids('')).toEqual([6, 5, 4, 3, 2, 1]);
    const { body } = await api.get('/v1/set-aside?reason=too-deep');
    expect(body).toEqual({
      items: [
        {
          id: id(5),
          reason: 'too-deep',
          detail: 'because of too-deep',
          transport: 'amqp',
          messageId: '1460129463911234567',
          topic: '/a/b\uFFFD',
          generateTime: '1795176000000',
          receivedAt: '2026-11-20T12:00:05.000Z',
          attempts: 0,
          replayedAt: null,
          bytes: 0,
        },
      ],
      next: null,
    });
  });

  it.each([
    ['?reason=not-json', [2, 1]],
    ['?reason=nope', []],
    ['?replayed=true', []],
    [`?from=${after(3).toISOString()}&to=${after(5).toISOString()}`, [4, 3]],
  ])('are filtered by %s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  it('show their text, or the digits of bytes that are none', async () => {
    expect((await api.get(`/v1/set-aside/${id(1)}`)).body).toMatchObject({
      encoding: 'text',
      body: '{"half": ',
      bytes: 9,
      properties: { qos: '1' },
    });
    expect((await api.get(`/v1/set-aside/${id(2)}`)).body).toMatchObject({ encoding: 'hex', body: 'ff00fe' });
  });

  it('are found by an id with dashes as well', async () => {
    expect(await api.get('/v1/set-aside/11111111-1111-1111-1111-111111111111')).toMatchObject({ status: 200 });
  });

  it('are not there under other ids', async () => {
    expect(await api.get(`/v1/set-aside/${id(9)}`)).toMatchObject({ status: 404 });
    expect(await api.post(`/v1/set-aside/${id(9)}/replay`)).toMatchObject({ status: 404 });
  });

  it('can be tried without effect, then replayed', async () => {
    const dry = await api.post(`/v1/set-aside/${id(6)}/replay?dryRun=true`);
    expect(dry).toMatchObject({ status: 200, body: { id: id(6), dryRun: true, result: 'replayed', refusal: null } });
    expect(dry.body['changes']).toMatchObject({ PropertyReading: 1, DeviceProperty: expect.any(Number) });
    expect(await api.get('/v1/devices/a1TestLock1:lock-1')).toMatchObject({ status: 404 });

    const real = await api.post(`/v1/set-aside/${id(6)}/replay`);
    expect(real.body).toEqual({ ...dry.body, dryRun: false });
    expect(await api.get('/v1/devices/a1TestLock1:lock-1')).toMatchObject({ status: 200 });
    expect((await api.get(`/v1/set-aside/${id(6)}`)).body).toMatchObject({
      attempts: 1,
      replayedAt: expect.stringMatching(/Z$/),
    });
    expect(await ids('?replayed=true')).toEqual([6]);
    expect(await ids('?replayed=false')).toEqual([5, 4, 3, 2, 1]);
  });

  it('stay aside when a replay still cannot understand them', async () => {
    const { body } = await api.post(`/v1/set-aside/${id(1)}/replay`);
    expect(body).toMatchObject({ id: id(1), result: 'refused', refusal: { reason: expect.any(String) } });
    expect((await api.get(`/v1/set-aside/${id(1)}`)).body).toMatchObject({
      ...(body['refusal'] as object),
      attempts: 1,
      replayedAt: null,
    });
  });

  it('count in the totals of the ingest', async () => {
    expect((await api.get('/v1/ingest')).body).toEqual({
      received: 0,
      stored: 0,
      duplicate: 0,
      setAside: 0,
      inHand: 0,
      lagMs: null,
      bytesInHand: 0,
      connections: [],
      transports: [],
      totals: { received: 6, stored: 0, duplicate: 0, setAside: 6, expired: 0 },
    });
  });
});
