import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { query } from '../../scripts/postgres/connection.mjs';
import { SERVICE_VERSION } from '../../src/config/service-version.js';
import { ABOUT_NOTHING, type About, type DecodedMessage } from '../../src/domain/decoded-message.js';
import type { RefusalReason } from '../../src/domain/raw-message.js';
import { after, startApi, type TestApi } from '../support/api.js';
import { aMessage, aPropertyReport } from '../support/messages.js';
import { refusedAs } from '../support/writer.js';

const id = (digit: number): string => String(digit).repeat(32);

function refused(
  digit: number,
  reason: RefusalReason,
  body: Buffer | string,
  {
    seconds = digit,
    topic = '/a/b\0',
    about = ABOUT_NOTHING,
  }: { seconds?: number; topic?: string; about?: About } = {},
): DecodedMessage {
  const raw = aMessage({
    body,
    messageId: '1460129463911234567',
    topic,
    properties: { qos: '1', __proto__: 'x' },
    receivedAt: after(seconds),
  });
  return refusedAs({ reason, detail: `because of ${reason}` }, { key: id(digit), raw, about });
}

const aLock = { kind: 'property-post', productKey: 'a1', deviceName: 'lock:1' };
const aDoor = { kind: 'status', productKey: 'a1', deviceName: 'door' };

describe('set-aside messages over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    const good = aPropertyReport({ raw: { receivedAt: after(6) } });
    await api.write(
      refused(1, 'not-json', '{"half": '),
      refused(2, 'not-json', Buffer.from('ff00fe', 'hex')),
      refused(3, 'unknown-topic', 'text', { about: aLock, topic: '/a1/lock:1/x' }),
      refused(4, 'unknown-topic', 'text', { about: aDoor, topic: '/a1/door/x', seconds: 3 }), // the same millisecond
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
          ...ABOUT_NOTHING,
          refusedBy: SERVICE_VERSION,
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
    ['?productKey=a1', [4, 3]],
    ['?productKey=a', []],
    ['?device=a1:lock:1', [3]],
    ['?device=a1:lock', []],
    ['?kind=status', [4]],
    ['?topic=/a1/lock:1/x', [3]],
    ['?topic=/a1/lock:1/', []],
    ['?topicPrefix=/a1/', [4, 3]],
    ['?topicPrefix=/a1/l', [3]],
    ['?topicPrefix=/a1/&reason=unknown-topic&kind=status', [4]],
    ['?topicPrefix=/a1/%25', []],
    [`?refusedBy=${SERVICE_VERSION}`, [6, 5, 4, 3, 2, 1]],
    ['?outdated=false&reason=not-json', [2, 1]],
    ['?outdated=true', []],
  ])('are filtered by %s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  it('are counted by the reason', async () => {
    expect((await api.get('/v1/set-aside/counts')).body).toEqual({
      total: 6,
      version: SERVICE_VERSION,
      reasons: [
        { reason: 'not-json', count: 2 },
        { reason: 'unknown-topic', count: 2 },
        { reason: 'no-device', count: 1 },
        { reason: 'too-deep', count: 1 },
      ],
    });
    expect((await api.get('/v1/set-aside/counts?productKey=a1&kind=status')).body).toMatchObject({
      total: 1,
      reasons: [{ reason: 'unknown-topic', count: 1 }],
    });
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
    const device = { productKey: 'a1TestLock1', deviceName: 'lock-1' };
    expect(dry.body).toMatchObject({
      changes: { Device: 1, PropertyReading: 1, DeviceProperty: 1 },
      rows: [
        { table: 'Device', change: 'insert', key: device },
        { table: 'DeviceProperty', change: 'insert', key: { ...device, identifier: 'Battery' } },
        {
          table: 'PropertyReading',
          change: 'insert',
          key: { ...device, identifier: 'Battery', at: after(0).toISOString() },
        },
      ],
      rowsLeftOut: 0,
    });
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
    expect((await api.get('/v1/ingest')).body['totals']).toMatchObject({
      received: 6,
      stored: 0,
      duplicate: 0,
      setAside: 6,
      setAsideReasons: { 'no-device': 1, 'not-json': 2, 'too-deep': 1, 'unknown-topic': 2 },
    });
  });

  it('are removed one by one, or those of a filter, and never all by mistake', async () => {
    expect(await api.delete('/v1/set-aside')).toMatchObject({ status: 400, body: { errors: [{ parameter: 'all' }] } });
    expect(await api.delete('/v1/set-aside?all=false')).toMatchObject({ status: 400 });
    expect(await api.delete('/v1/set-aside?all=true&reason=too-deep')).toMatchObject({ status: 400 });
    expect(await api.delete('/v1/set-aside?limit=5')).toMatchObject({ status: 400 });
    expect(await ids('')).toHaveLength(6);

    expect(await api.delete(`/v1/set-aside/${id(5)}`)).toMatchObject({ status: 200, body: { removed: 1 } });
    expect(await api.delete(`/v1/set-aside/${id(5)}`)).toMatchObject({ status: 404 });
    expect((await api.delete('/v1/set-aside?productKey=a1&kind=status')).body).toEqual({ removed: 1 });
    expect(await ids('')).toEqual([6, 3, 2, 1]);
    expect((await api.delete('/v1/set-aside?all=true')).body).toEqual({ removed: 4 });
    expect(await ids('')).toEqual([]);
    expect((await api.get('/metrics')).text).toContain('living_mirror_set_aside_removed_total{by="request"} 6');
  });

  it('stay known and counted when they are removed', async () => {
    await api.write(refused(1, 'not-json', '{"half": '));
    expect(await ids('')).toEqual([]);
    const { rows } = await query(
      api.databaseUrl,
      `SELECT string_agg("outcome" || ' ' || "count", ', ' ORDER BY "outcome") AS counts FROM "IngestCount"`,
    );
    expect(rows).toEqual([
      {
        counts:
          'duplicate 1, received 7, redelivered 1, set-aside:no-device 1, set-aside:not-json 2, set-aside:too-deep 1, set-aside:unknown-topic 2',
      },
    ]);
  });
});
