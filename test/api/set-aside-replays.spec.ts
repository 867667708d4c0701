import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { query } from '../../scripts/postgres/connection.mjs';
import { SERVICE_VERSION } from '../../src/config/service-version.js';
import type { DecodedMessage } from '../../src/domain/decoded-message.js';
import type { RawMessage } from '../../src/domain/raw-message.js';
import { REPLAY_LOCK } from '../../src/storage/advisory-locks.js';
import { startApp, type RunningApp } from '../support/app.js';
import { after, startApi, type TestApi } from '../support/api.js';
import { aMessage, aPropertyReport } from '../support/messages.js';
import { until } from '../support/until.js';
import { refusedAs } from '../support/writer.js';

interface Job {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly done: number;
}

/** A report that an older version did not understand. */
function oldReport(second: number, reason: 'no-device' | 'unknown-topic' = 'no-device'): DecodedMessage {
  const raw = aPropertyReport({
    values: { Count: second },
    time: after(second).getTime(),
    raw: { receivedAt: after(second) },
  });
  return aside(raw, reason);
}

/** Something that nobody will ever understand. */
function nonsense(second: number): DecodedMessage {
  return aside(
    aMessage({ body: '{"half": ', topic: '/a/b/thing/event/property/post', receivedAt: after(second) }),
    'not-json',
  );
}

const aside = (raw: RawMessage, reason: 'no-device' | 'unknown-topic' | 'not-json'): DecodedMessage =>
  refusedAs({ reason, detail: 'an older version' }, { raw });

describe('a replay of many messages', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
  });
  afterEach(() =>
    sql('TRUNCATE "SetAsideReplay", "SetAsideMessage", "Device", "PropertyReading", "SeenMessage" CASCADE'),
  );
  afterAll(() => api.close());

  const asked = async (path = '', body?: unknown): Promise<Job> => {
    const { status, body: job, headers } = await api.post(`/v1/set-aside/replay${path}`, body);
    expect([status, job]).toEqual([202, expect.anything()]);
    expect(headers.get('location')).toBe(`/v1/set-aside/replays/${String(job['id'])}`);
    return job as unknown as Job;
  };
  const over = (id: string): Promise<Job> =>
    until(async () => {
      const job = (await api.get(`/v1/set-aside/replays/${id}`)).body as unknown as Job;
      expect(['done', 'cancelled']).toContain(job.state);
      return job;
    });
  const readings = async (): Promise<number> =>
    (await api.walk('/v1/devices/a1TestLock1:lock-1/readings', 1000)).length;
  const counts = async (): Promise<unknown> =>
    (await query(api.databaseUrl, 'SELECT * FROM "IngestCount" ORDER BY "minute", "outcome"')).rows;
  const sql = (text: string): Promise<unknown> => query(api.databaseUrl, text);

  it('makes events of what is understood now, says what is not, and moves nothing in the counts of the ingest', async () => {
    const reports = Array.from({ length: 450 }, (_, second) => oldReport(second));
    await api.write(...reports, nonsense(500), nonsense(501));
    const before = await counts();
    const { id, total } = await asked();
    expect(total).toBe(452);
    expect(await over(id)).toEqual({
      id,
      state: 'done',
      filter: { replayed: false },
      requestedAt: expect.any(String),
      startedAt: expect.any(String),
      finishedAt: expect.any(String),
      total: 452,
      done: 452,
      stored: 450,
      duplicate: 0,
      stillRefused: 2,
      failed: 0,
    });
    expect(await readings()).toBe(450);
    expect(await counts()).toEqual(before);
    const { text } = await api.get('/metrics');
    expect(text).toContain('living_mirror_set_aside_replayed_total{outcome="stored"} 450');
    expect(text).toContain('living_mirror_set_aside_replayed_total{outcome="still-refused"} 2');
    expect(await api.walk('/v1/set-aside?replayed=false', 10)).toMatchObject([
      { kind: 'property-post', productKey: 'a', deviceName: 'b', attempts: 1 },
      { attempts: 1 },
    ]);

    expect(await over((await asked()).id)).toMatchObject({ total: 2, done: 2, stillRefused: 2 });
    expect(await over((await asked('?replayed=true')).id)).toMatchObject({ total: 450, done: 450, stored: 450 });
    expect(await readings()).toBe(450);
  });

  it('takes those of a filter only, given in the address or in the body', async () => {
    await api.write(oldReport(1), oldReport(2, 'unknown-topic'), oldReport(3), oldReport(4));
    const body = { reason: 'no-device', from: after(2).getTime(), replayed: false };
    expect(await over((await asked('', body)).id)).toMatchObject({
      filter: { reason: 'no-device', from: after(2).toISOString() },
      total: 2,
      stored: 2,
    });
    expect(await over((await asked('?reason=unknown-topic')).id)).toMatchObject({ total: 1, stored: 1 });
    expect(await over((await asked('?reason=too-deep')).id)).toMatchObject({ state: 'done', total: 0, done: 0 });
    expect(await readings()).toBe(3);

    for (const [path, wrong] of [
      ['?reason=no-device', { reason: 'not-json' }],
      ['', { reson: 'not-json' }],
      ['', { replayed: 'perhaps' }],
      ['?limit=5', undefined],
    ] as const) {
      expect(await api.post(`/v1/set-aside/replay${path}`, wrong)).toMatchObject({
        status: 400,
        body: { errors: [{ parameter: expect.any(String) }] },
      });
    }
  });

  it('takes everything that another version refused, and then nothing is left of that', async () => {
    await api.write(oldReport(1), nonsense(2), nonsense(3));
    await sql(
      `UPDATE "SetAsideMessage" SET "refusedBy" = '0.0.9-00000000' WHERE "receivedAt" < '${after(3).toISOString()}'`,
    );
    expect(await api.walk('/v1/set-aside?outdated=true', 10)).toHaveLength(2);
    expect(await over((await asked('?outdated=true')).id)).toMatchObject({ total: 2, stored: 1, stillRefused: 1 });
    expect(await over((await asked('?outdated=true')).id)).toMatchObject({ total: 0 });
    expect(await api.walk(`/v1/set-aside?refusedBy=${SERVICE_VERSION}`, 10)).toHaveLength(2);
  });

  it('goes on after a crash where it was, on any replica, and does nothing twice', async () => {
    await api.write(...Array.from({ length: 5 }, (_, second) => oldReport(second)));
    // what a replica leaves that was killed after a step of two messages: their events, and the note in the same transaction
    const [first, second] = (await api.walk('/v1/set-aside', 10)).reverse().map(({ id }) => String(id));
    for (const id of [first, second]) await api.post(`/v1/set-aside/${id}/replay`);
    await sql(
      `INSERT INTO "SetAsideReplay" ("id", "filter", "state", "requestedAt", "startedAt", "total", "stored", "doneAt", "doneId", "lastAt", "lastId")
       SELECT gen_random_uuid(), '{"replayed": false, "from": null, "to": null}', 'running', now() - INTERVAL '1 hour', now(), 5, 2, d."receivedAt", d."id", l."receivedAt", l."id"
       FROM "SetAsideMessage" d, (SELECT * FROM "SetAsideMessage" ORDER BY "receivedAt" DESC LIMIT 1) l WHERE d."id" = '${second}'`,
    );
    const other: RunningApp = await startApp({ databaseUrl: api.databaseUrl }); // looks for work as it starts
    try {
      const [{ id }] = (await api.get('/v1/set-aside/replays')).body['items'] as [Job];
      expect(await over(id)).toMatchObject({ state: 'done', total: 5, done: 5, stored: 5, duplicate: 0 });
      expect(await readings()).toBe(5);
      const attempts = (await api.walk('/v1/set-aside', 10)).map((message) => message['attempts']);
      expect(attempts).toEqual([1, 1, 1, 1, 1]);
    } finally {
      await other.close();
    }
  });

  it('counts as duplicate what another replay made events of meanwhile', async () => {
    await api.write(oldReport(1), oldReport(2));
    const [message] = await api.walk('/v1/set-aside', 10);
    await api.post(`/v1/set-aside/${String(message?.['id'])}/replay`);
    await sql(
      `INSERT INTO "SetAsideReplay" ("id", "filter", "state", "requestedAt", "total", "lastAt", "lastId")
       SELECT gen_random_uuid(), '{"replayed": false, "from": null, "to": null}', 'waiting', now() - INTERVAL '1 hour', 2, "receivedAt", "id"
       FROM "SetAsideMessage" ORDER BY "receivedAt" DESC LIMIT 1`,
    );
    await asked('?reason=too-deep'); // wakes whoever does the work
    const [, { id }] = (await api.get('/v1/set-aside/replays')).body['items'] as [Job, Job];
    expect(await over(id)).toMatchObject({ total: 2, stored: 1, duplicate: 1 });
    expect(await readings()).toBe(2);
  });

  it('waits while another replica does a step, can be cancelled, and is listed', async () => {
    await api.write(oldReport(1));
    const other = new pg.Client({ connectionString: api.databaseUrl });
    await other.connect();
    try {
      await other.query(`SELECT pg_advisory_lock(${REPLAY_LOCK})`);
      const { id } = await asked();
      const { id: second } = await asked('?reason=no-device');
      const path = `/v1/set-aside/replays/${id}`;
      expect((await api.get(path)).body).toMatchObject({ state: 'waiting', startedAt: null, done: 0 });
      expect(await api.delete(path)).toMatchObject({ status: 200, body: { state: 'cancelled', done: 0, total: 1 } });
      expect(await api.delete(path)).toMatchObject({ status: 200, body: { state: 'cancelled' } });
      expect(await api.walk('/v1/set-aside/replays', 1)).toMatchObject([{ id: second, state: 'waiting' }, { id }]);
      await other.query(`SELECT pg_advisory_unlock(${REPLAY_LOCK})`);
      await asked('?reason=too-deep'); // wakes whoever does the work
      expect(await over(second)).toMatchObject({ state: 'done', stored: 1 });
      expect(await over(id)).toMatchObject({ state: 'cancelled', done: 0 });
    } finally {
      await other.end();
    }
  });

  it('is not there under other ids', async () => {
    const path = '/v1/set-aside/replays/00000000-0000-4000-8000-000000000000';
    expect(await api.get(path)).toMatchObject({ status: 404 });
    expect(await api.delete(path)).toMatchObject({ status: 404 });
    expect(await api.get('/v1/set-aside/replays/1')).toMatchObject({ status: 400 });
  });
});
