import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type Socket } from 'node:net';
import { query } from '../../scripts/postgres/connection.mjs';
import { ChangeLogHours } from '../../src/storage/change-log-hours.js';
import { after, aJson, aNumber, aReading, startApi, type TestApi } from '../support/api.js';
import { startApp } from '../support/app.js';
import { StreamReader } from '../support/event-stream.js';
import { until } from '../support/until.js';
import { decodedAs } from '../support/writer.js';

const LOCK = { productKey: 'a1B2c3D4e5F', deviceName: 'lock-0001' };
let serial = 0;
const aChange = () => aReading(LOCK, 'Level', aNumber(String(++serial)), after(serial));

describe('a place in the log', () => {
  let api: TestApi;
  const open: StreamReader[] = [];

  beforeAll(async () => {
    api = await startApi({ settings: { STREAM_LIMIT: '2' } });
  });
  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close();
    await until(async () => expect((await api.get('/metrics')).text).toMatch(/^living_mirror_streams 0$/m));
  });
  afterAll(() => api.close());

  const stream = async (options = ''): Promise<StreamReader> => {
    const reader = await StreamReader.open(`${api.url}/v1/stream${options}`);
    open.push(reader);
    return reader;
  };
  const refused = async (lastEventId: string) => {
    const { status, type, body } = await api.get(`/v1/stream?follow=false&lastEventId=${lastEventId}`);
    expect(type).toBe('application/problem+json; charset=utf-8');
    return { status, type: body['type'], detail: body['detail'] };
  };
  const lost = (detail: RegExp) => ({
    status: 410,
    type: 'urn:living-mirror:problem:stream-place-lost',
    detail: expect.stringMatching(detail),
  });
  const now = async (): Promise<string> => {
    const reader = await stream('?follow=false');
    await reader.ended;
    return reader.lastId ?? '';
  };
  /** As if everything that is in the log had been written 30 hours ago, and was dropped since. */
  const dropAll = async (): Promise<void> => {
    await query(api.databaseUrl, `SELECT "partitions"."add_hour"('ChangeLog', now() - INTERVAL '30 hours')`);
    await query(api.databaseUrl, `UPDATE "ChangeLog" SET "writtenAt" = "writtenAt" - INTERVAL '30 hours'`);
  };
  const drop = async (): Promise<void> => {
    expect(await api.app.get(ChangeLogHours, { strict: false }).drop(24)).toHaveLength(1);
  };

  it('where nothing has happened yet is one, too', async () => {
    const start = await now();
    await api.happened(aChange());
    const reader = await stream(`?follow=false&lastEventId=${start}`);
    await reader.ended;
    expect(reader.events.map(({ event }) => event)).toEqual(['device', 'reading']);
  });

  it('is refused when what follows was dropped, and good when nothing did', async () => {
    await dropAll();
    const before = await now();
    await api.happened(aChange());
    await query(
      api.databaseUrl,
      `UPDATE "ChangeLog" SET "writtenAt" = "writtenAt" - INTERVAL '30 hours' WHERE "writtenAt" > now() - INTERVAL '1 hour'`,
    );
    const last = await now();
    await drop();
    expect(await refused(before)).toEqual(lost(/changes are kept since 20/));
    expect(await now()).toBe(last);
    await api.happened(aChange());
    const reader = await stream(`?follow=false&lastEventId=${last}`);
    await reader.ended;
    expect(reader.events).toHaveLength(1);
    const { status, body } = await api.get(`/v1/stream?from=${Date.now() - 40 * 3_600_000}`);
    expect([status, body['type']]).toEqual([410, 'urn:living-mirror:problem:stream-place-lost']);
  });

  it('is refused when it is of another log, or of another life of this one', async () => {
    const id = await now();
    const [epoch = '', seq = '', mark = '', index = ''] = id.split('.');
    expect(await refused(['00000000', seq, mark, index].join('.'))).toEqual(lost(/another log/));
    expect(await refused([epoch, `${seq}z`, mark, index].join('.'))).toEqual(lost(/another log/));
    expect(
      await refused([epoch, seq, `${mark.slice(0, -1)}${mark.endsWith('a') ? 'b' : 'a'}`, index].join('.')),
    ).toEqual(lost(/another log/));
    expect(await refused([epoch, seq, mark, 'zzz'].join('.'))).toEqual(lost(/another log/));
  });

  it.each(['1', 'x.y.z', '00000000.1.1.1; DROP', '00000000.zzzzzzzzzz.zzzzzzzzzzz.1'])('%s is none', async (id) => {
    const { status, body } = await api.get(`/v1/stream?lastEventId=${encodeURIComponent(id)}`);
    expect(status).toBe(400);
    expect(body['errors']).toMatchObject([
      { parameter: 'lastEventId', detail: expect.stringContaining('must be the id') },
    ]);
    const byHeader = await api.get('/v1/stream', { 'last-event-id': id });
    expect(byHeader.body['errors']).toMatchObject([{ parameter: 'Last-Event-ID' }]);
  });

  it('that is lost amid a stream ends it with words', async () => {
    const reader = await stream();
    await query(api.databaseUrl, `UPDATE "ChangeLogState" SET "epoch" = gen_random_uuid()`);
    await api.happened(aChange());
    await reader.ended;
    expect(reader.events).toEqual([
      {
        id: null,
        event: 'gap',
        data: expect.objectContaining({ status: 410, detail: expect.stringMatching(/another log/) }),
      },
    ]);
    expect(await refused(reader.lastId ?? '')).toEqual(lost(/another log/));
  });

  it('answers at most so many streams, and a client that is gone makes room', async () => {
    const [first] = [await stream(), await stream()];
    const { status, body, headers } = await api.get('/v1/stream');
    expect([status, body['detail'], headers.get('retry-after')]).toEqual([
      503,
      expect.stringContaining('STREAM_LIMIT'),
      '5',
    ]);
    await first?.close();
    await until(async () => stream());
  });

  it('names what is wrong before it begins', async () => {
    for (const [path, parameter, detail] of [
      ['kinds=readings', 'kinds', /must be some of device, presence, binding, event, reading/],
      ['filter=online eq', 'filter', /column/],
      ['device=%3A', 'device', /productKey:deviceName/],
      ['follow=perhaps', 'follow', /true or false/],
      ['limit=5', 'limit', /not a parameter/],
    ] as const) {
      const { status, body } = await api.get(`/v1/stream?${path}`);
      expect([path, status, body['errors']]).toEqual([
        path,
        400,
        [expect.objectContaining({ parameter, detail: expect.stringMatching(detail) })],
      ]);
    }
    expect(await api.get('/v1/stream', { accept: 'application/json' })).toMatchObject({ status: 406 });
    const head = await fetch(`${api.url}/v1/stream`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
  });
});

describe('without a log', () => {
  it('there are no streams, nothing is logged, and what was logged before is no place to go on from', async () => {
    const api = await startApi();
    const reader = await StreamReader.open(`${api.url}/v1/stream`);
    await reader.close();
    const off = await startApp({ databaseUrl: api.databaseUrl, settings: { STREAM_KEEP_HOURS: '0' } });
    const answer = await fetch(`${off.url}/v1/stream`);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ detail: expect.stringContaining('STREAM_KEEP_HOURS') }),
    ]);
    await until(async () => {
      expect(await api.get(`/v1/stream?follow=false&lastEventId=${reader.lastId}`)).toMatchObject({ status: 410 });
    });
    await off.close();
    await api.close();
  });
});

describe('readers that do not read', () => {
  it('fill no memory, hold up nobody, lose nothing, and do not keep the service from stopping', async () => {
    const api = await startApi();
    const served: Socket[] = [];
    api.app.getHttpServer().on('connection', (socket: Socket) => served.push(socket));
    const start = await StreamReader.open(`${api.url}/v1/stream?follow=false`);
    await start.ended;
    served.length = 0;
    const sleepers = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write('GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n');
        socket.pause();
        return socket;
      }),
    );
    await until(async () => expect((await api.get('/metrics')).text).toMatch(/^living_mirror_streams 100$/m));
    const large = aJson(JSON.stringify('x'.repeat(20_000)));
    const writes = 400;
    for (let n = 0; n < writes; n += 50) {
      await api.write(
        ...Array.from({ length: 50 }, (_, k) => decodedAs([aReading(LOCK, 'Text', large, after(n + k))])),
      );
    }
    const reader = await StreamReader.open(
      `${api.url}/v1/stream?follow=false&kinds=reading&lastEventId=${start.lastId}`,
    );
    await reader.ended;
    expect(reader.events).toHaveLength(writes);
    await until(async () => {
      const behind = /^living_mirror_stream_behind_seconds (\S+)$/m.exec((await api.get('/metrics')).text)?.[1];
      expect(Number(behind)).toBeGreaterThan(0);
    });
    const waiting = served.map(({ writableLength }) => writableLength);
    expect(Math.max(...waiting)).toBeGreaterThan(0);
    expect(Math.max(...waiting)).toBeLessThan(256 * 1024);
    const [late] = sleepers;
    let text = '';
    late?.on('data', (chunk) => (text += String(chunk)));
    late?.resume();
    await until(() => expect(text.match(/^event: reading$/gm)).toHaveLength(writes));
    await api.close();
    for (const socket of sleepers) socket.destroy();
  });
});
