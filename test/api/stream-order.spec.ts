import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { query } from '../../scripts/postgres/connection.mjs';
import type { DeviceEvent } from '../../src/domain/device-event.js';
import { EventSink } from '../../src/domain/event-sink.js';
import { PrismaService } from '../../src/storage/prisma.service.js';
import { after, aNumber, aReading, startApi, type TestApi } from '../support/api.js';
import { type RunningApp, startApp } from '../support/app.js';
import { StreamReader } from '../support/event-stream.js';
import { heldWrite } from '../support/held-write.js';
import { quiet, until } from '../support/until.js';
import { decodedAs } from '../support/writer.js';

let serial = 0;
/** A reading of a device of its own: transactions must not wait for each other's devices. */
function aChange(name: string): DeviceEvent {
  return aReading({ productKey: 'a1Order', deviceName: name }, 'Level', aNumber(String(++serial)), after(serial));
}

describe('changes of transactions that overlap', () => {
  let api: TestApi;
  let replica: RunningApp;
  let prisma: PrismaService;
  const open: StreamReader[] = [];

  beforeAll(async () => {
    api = await startApi();
    replica = await startApp({ databaseUrl: api.databaseUrl });
    prisma = replica.app.get(PrismaService, { strict: false });
  });
  afterEach(async () => {
    for (const reader of open.splice(0)) await reader.close();
  });
  afterAll(async () => {
    await replica.close();
    await api.close();
  });

  const stream = async (url = api.url, options = ''): Promise<StreamReader> => {
    const reader = await StreamReader.open(`${url}/v1/stream?kinds=reading${options}`);
    open.push(reader);
    return reader;
  };
  const names = (reader: StreamReader): string[] =>
    reader.events.map(({ data }) => String(data['device']).replace('a1Order:', ''));

  it('come in the order of the log, the slow one first, and nothing before it has ended', async () => {
    await api.happened(aChange('before'));
    const slow = await heldWrite(prisma, aChange('slow'));
    const reader = await stream();
    await api.happened(aChange('fast-1'));
    await api.happened(aChange('fast-2'));
    await quiet(() => reader.events.length, 150);
    expect(names(reader)).toEqual([]);
    await slow.commit();
    await until(() => expect(names(reader)).toEqual(['slow', 'fast-1', 'fast-2']));
    const other = await stream(replica.url, `&follow=false&lastEventId=${reader.events[0]?.id}`);
    await other.ended;
    expect(names(other)).toEqual(['fast-1', 'fast-2']);
  });

  it('do not wait any more for one that was rolled back, and nothing of it is told', async () => {
    const reader = await stream();
    const doomed = await heldWrite(prisma, aChange('doomed'));
    await api.happened(aChange('fast'));
    await quiet(() => reader.events.length, 150);
    expect(names(reader)).toEqual([]);
    await doomed.rollBack();
    await until(() => expect(names(reader)).toEqual(['fast']));
  });

  it('do not wait for who reads, nor for who writes elsewhere', async () => {
    const reader = await stream();
    const others = [
      `SELECT count(*) FROM "ChangeLog"`,
      `UPDATE "ChangeLogState" SET "id" = "id"`,
      `INSERT INTO "DeviceTag" SELECT "id", 'by', 'hand', now() FROM "Device" LIMIT 1`,
    ];
    await Promise.all(
      others.map(async (sql) => {
        await prisma.inTransaction(async (tx) => {
          await tx.$queryRawUnsafe(`SELECT pg_current_xact_id()::text`);
          await tx.$executeRawUnsafe(sql);
          const before = reader.events.length;
          await api.happened(aChange('while'));
          await until(() => expect(reader.events.length).toBeGreaterThan(before));
        });
      }),
    );
  });

  it('are all waited for by who wants no more than what was committed before the request', async () => {
    const start = (await stream()).lastId;
    const slow = await heldWrite(prisma, aChange('slow'));
    await api.happened(aChange('fast'));
    const reader = await stream(replica.url, `&follow=false&lastEventId=${start}`);
    await quiet(() => reader.events.length, 100);
    await slow.commit();
    await reader.ended;
    expect(names(reader)).toEqual(['slow', 'fast']);
  });

  it('tells how long it has been waiting', async () => {
    const reader = await stream();
    const slow = await heldWrite(prisma, aChange('slow'));
    await until(async () => {
      const { text } = await api.get('/metrics');
      expect(Number(/^living_mirror_stream_held_seconds (\S+)$/m.exec(text)?.[1])).toBeGreaterThan(0);
      expect(text).toMatch(/^living_mirror_streams 1$/m);
    });
    await slow.commit();
    await until(() => expect(names(reader)).toEqual(['slow']));
    await until(async () => {
      expect((await api.get('/metrics')).text).toMatch(/^living_mirror_stream_held_seconds 0$/m);
    });
  });

  it('written by two replicas at once are told each once and in one order, wherever a reader is cut off and comes back', async () => {
    const start = (await stream()).lastId ?? '';
    const sinks = [api, replica].map(({ app }) => app.get(EventSink, { strict: false }));
    const writing = sinks.map(async (sink, which) => {
      for (let batch = 0; batch < 25; batch += 1) {
        // one device of both, so that they meet, and one of each
        const events = [aChange('common'), aChange(`own-${which}`)];
        await sink.write(events.map((event) => decodedAs([event])));
      }
    });
    const ids: string[] = [];
    const values: unknown[] = [];
    let last = start;
    const writers = Promise.all(writing).then(() => (over = true));
    let over = false;
    for (let turn = 0; !(over && values.length >= 100); turn += 1) {
      const { url } = turn % 2 === 0 ? replica : api;
      const reader = await stream(url, `&lastEventId=${last}`);
      const enough = 1 + (turn % 7);
      await until(() => {
        if (reader.events.length < enough && values.length + reader.events.length < 100) throw new Error('not yet');
      });
      await reader.close();
      for (const { id, data } of reader.events) {
        ids.push(id ?? '');
        values.push(data['value']);
      }
      last = reader.lastId ?? last;
    }
    await writers;
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(100);
    const { rows } = await query(
      api.databaseUrl,
      `SELECT r."number"::float AS value FROM "PropertyReading" r JOIN "DeviceProperty" p ON p."id" = r."seriesId" JOIN "Device" d ON d."id" = p."deviceId"
       WHERE d."deviceName" IN ('common', 'own-0', 'own-1')`,
    );
    expect([...values].sort()).toEqual(rows.map(({ value }) => Number(value)).sort());
    const whole = await stream(replica.url, `&follow=false&lastEventId=${start}`);
    await whole.ended;
    expect(whole.events.map(({ id }) => id)).toEqual(ids);
  });
});
