import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { query } from '../../scripts/postgres/connection.mjs';
import {
  aBinding,
  after,
  aJson,
  aNumber,
  anEvent,
  anIdentity,
  aReading,
  aStatus,
  type Answer,
  startApi,
  type TestApi,
} from '../support/api.js';
import { until } from '../support/until.js';
import { aMessage } from '../support/messages.js';
import { refusedAs } from '../support/writer.js';

const CSV = { accept: 'text/csv' };
const NDJSON = { accept: 'application/x-ndjson' };
const USER = '50ebop9xxxxxxxxxxxxxxxxxxxxxxxxxxxxx7384';
const METER = { productKey: 'a1', deviceName: 'meter, "the" 门' };
const DEVICES = Array.from({ length: 234 }, (_, n) => ({ productKey: 'a2', deviceName: `lamp-${n}` }));

const meter = encodeURIComponent(`${METER.productKey}:${METER.deviceName}`);

const DAY = 'from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z';

/** Every list that the service has, and how many items it holds in this test at least. */
const LISTS: [path: string, items: number][] = [
  ['/v1/devices', 235],
  ['/v1/devices?productKey=a2', 234],
  [`/v1/devices/${meter}/properties`, 3],
  [`/v1/devices/${meter}/readings`, 1204],
  [`/v1/devices/${meter}/readings?order=asc&identifier=Total`, 1200],
  [`/v1/devices/${meter}/events`, 1],
  ['/v1/events', 1],
  [`/v1/devices/${meter}/bindings`, 1],
  [`/v1/users/${USER}/devices`, 1],
  ['/v1/ingest/ledger', 1],
  ['/v1/set-aside', 1],
  ['/v1/set-aside/replays', 1],
  [`/v1/readings?device=${meter}`, 1204],
  ['/v1/erasures', 1],
  ['/v1/requests/77', 1],
  [`/v1/events/counts?interval=PT1H&${DAY}`, 1],
  [`/v1/devices/${meter}/events/counts?interval=PT1H&${DAY}`, 1],
  [`/v1/devices/${meter}/aggregates?interval=PT1H&functions=avg,p95&identifier=Total&${DAY}`, 1],
  [`/v1/devices/${meter}/series`, 3],
  ['/v1/fleet/readings', 1204],
  ['/v1/fleet/readings?productKey=a1&identifier=State&identifier=Total', 1203],
];

/** Lists whose items tell of now: they differ from one question to the next. */
const OF_NOW = [
  `/v1/devices/${meter}/series?identifier=Total&points=100&${DAY}`,
  `/v1/devices/${meter}/presence`,
  '/v1/presence',
  '/v1/presence/curve',
  '/v1/presence/flapping',
  '/v1/presence/silent',
];

describe('a list over REST', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
    await api.happened(
      anIdentity(METER, 'iot-1', after(0), 'SmartMeter'),
      aStatus(METER, true),
      ...Array.from({ length: 1200 }, (_, n) => aReading(METER, 'Total', aNumber(`${n}.10`), after(n))),
      aReading(METER, 'Big', aNumber('1234567890123456789'), after(5)),
      aReading(METER, 'State', aJson('{"a": [1, null], "b": "x,\\"y\\"\\r\\n门"}'), after(5)),
      aReading(METER, 'State', aJson('""'), after(6)),
      aReading(METER, 'State', aJson('"tie"'), after(6)),
      aReading(METER, 'State', aJson('null'), after(7)),
      anEvent(METER, 'Alarm', after(1), { value: '{"n": 1234567890123456789}', requestId: '1678239049931' }),
      aBinding(METER, USER, true, after(1)),
      {
        kind: 'command-replied',
        device: METER,
        at: after(2),
        requestId: '77',
        byDevice: true,
        value: '{}',
      },
      ...DEVICES.map((device) => aStatus(device, false)),
    );
    await api.write(
      refusedAs({ reason: 'not-json', detail: 'a "detail",\nof two lines' }, { raw: aMessage({ body: '{' }) }),
    );
    const { body } = await api.delete('/v1/users/nobody');
    await until(async () =>
      expect((await api.get(`/v1/erasures/${String(body['id'])}`)).body).toMatchObject({ state: 'done' }),
    );
    await query(
      api.databaseUrl,
      `INSERT INTO "SetAsideReplay" ("id", "filter", "state", "requestedAt", "finishedAt", "total")
       VALUES (gen_random_uuid(), '{"reason": "not-json", "from": null, "to": null}', 'done', now(), now(), 0)`,
    );
  });
  afterAll(() => api.close());

  /** The items of all pages of JSON, digits and all: as the text that each would be alone. */
  const itemsOf = async (path: string): Promise<string[]> => {
    const lines: string[] = [];
    const wholeAnyway = /\/(properties|aggregates|counts|series)(\?|$)/.test(path);
    const limit = wholeAnyway ? '' : `${path.includes('?') ? '&' : '?'}limit=1000`;
    let next: unknown = null;
    do {
      const cursor: string = typeof next === 'string' ? `&cursor=${next}` : '';
      const { status, text, body } = await api.get(path + limit + cursor);
      expect(status).toBe(200);
      const [, items = ''] = /^\{"items":\[(.*)\],"next":[^\]]*\}$/s.exec(text) ?? [];
      lines.push(...splitItems(items));
      next = body['next'];
    } while (next !== null);
    return lines;
  };
  const linesOf = ({ text }: Answer): string[] => text.split('\n').slice(0, -1);

  it.each(LISTS)('%s comes as NDJSON: a line for each item that all pages of JSON have', async (path, count) => {
    const reply = await api.get(path, NDJSON);
    expect(reply).toMatchObject({ status: 200, type: 'application/x-ndjson; charset=utf-8' });
    expect(linesOf(reply).length).toBeGreaterThanOrEqual(count);
    expect(linesOf(reply)).toEqual(await itemsOf(path));
  });

  it.each(LISTS)('%s comes as CSV: the same values in the columns of its description', async (path, count) => {
    const reply = await api.get(path, CSV);
    expect(reply).toMatchObject({ status: 200, type: 'text/csv; charset=utf-8; header=present' });
    expect(reply.text.endsWith('\r\n')).toBe(true);
    const [columns = [], ...records] = parse(reply.text, { record_delimiter: '\r\n' });
    expect(records.length).toBeGreaterThanOrEqual(count);
    const items = (await itemsOf(path)).map(fieldsOf);
    for (const item of items) expect(columns).toEqual(expect.arrayContaining(Object.keys(item)));
    expect(records).toEqual(items.map((item) => columns.map((column) => item[column] ?? '')));
  });

  it.each(OF_NOW)('%s comes in every format', async (path) => {
    expect(await api.get(path)).toMatchObject({ status: 200, body: { items: expect.any(Array) } });
    const lines = await api.get(path, NDJSON);
    expect([lines.status, linesOf(lines).map((line) => typeof JSON.parse(line))]).toEqual([
      200,
      linesOf(lines).map(() => 'object'),
    ]);
    const csv = await api.get(path, CSV);
    expect([csv.status, parse(csv.text).length]).toEqual([200, linesOf(lines).length + 1]);
  });

  it('covers every list that the service describes', async () => {
    const { paths } = (await api.get('/docs/openapi.json')).body as {
      paths: Record<string, { get?: { responses: Record<string, { content?: Record<string, unknown> }> } }>;
    };
    const described = Object.entries(paths).filter(([, { get }]) => get?.responses['200']?.content?.['text/csv']);
    const covered = [...LISTS.map(([path]) => path), ...OF_NOW].map((path) =>
      path
        .split('?')[0]
        ?.replace(meter, '{device}')
        .replace(USER, '{identityId}')
        .replace('/requests/77', '/requests/{requestId}'),
    );
    expect(described.map(([path]) => path).filter((path) => !covered.includes(path))).toEqual([]);
  });

  it.each([
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'application/json'],
    ['application/json, text/csv;q=0.9', 'application/json'],
    ['text/csv, application/json;q=0.9', 'text/csv'],
    ['text/csv;q=0.5, */*;q=0.1', 'text/csv'],
    ['text/*', 'text/csv'],
    ['TEXT/CSV; charset=UTF-8', 'text/csv'],
    ['application/json;q=0, */*', 'application/x-ndjson'],
    ['application/x-ndjson', 'application/x-ndjson'],
  ])('accepted as "%s" comes as %s', async (accept, type) => {
    const reply = await api.get('/v1/devices?limit=1', { accept });
    expect(reply.status).toBe(200);
    expect(reply.type.split(';')[0]).toBe(type);
    expect(reply.headers.get('vary')).toContain('Accept');
  });

  it.each(['text/html', 'application/xml', 'text/csv;q=0', 'application/json;q=0', 'text/csv; header=sometimes'])(
    'accepted only as "%s" is a 406 that names what there is',
    async (accept) => {
      const excluded = accept === 'application/json;q=0' ? `${accept}, text/html` : accept;
      const reply = await api.get('/v1/devices', { accept: excluded });
      expect(reply).toMatchObject({
        status: 406,
        type: 'application/problem+json; charset=utf-8',
        body: { status: 406, available: ['application/json', 'application/x-ndjson', 'text/csv'] },
      });
    },
  );

  it('comes without the names of its columns where they are not wanted', async () => {
    const { text, type } = await api.get('/v1/devices?limit=2', { accept: 'text/csv; header=absent' });
    expect(type).toBe('text/csv; charset=utf-8; header=absent');
    expect(parse(text)).toHaveLength(2);
  });

  it('tells a page of rows by its limit, and where the next one begins', async () => {
    const path = `/v1/devices/${meter}/readings?identifier=Total`;
    const whole = (await api.get(path, NDJSON)).text;
    for (const limit of [999, 1001, 1199]) {
      const first = await api.get(`${path}&limit=${limit}`, NDJSON);
      expect(linesOf(first)).toHaveLength(limit);
      expect(first.headers.get('row-count')).toBe(String(limit));
      const link = /^<(.*)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
      expect(new URLSearchParams(link).get('cursor')).toBe(first.headers.get('next-cursor'));
      const rest = await api.get(
        `/v1/devices/${meter}/readings${link}`.replace(`limit=${limit}`, 'limit=10000'),
        NDJSON,
      );
      expect(rest.headers.get('next-cursor')).toBeNull();
      expect(rest.headers.get('link')).toBeNull();
      expect(first.text + rest.text).toBe(whole);
    }
  });

  it('goes on from a cursor to the end', async () => {
    const path = `/v1/devices/${meter}/readings?identifier=Total`;
    const first = await api.get(`${path}&limit=10`);
    const rest = await api.get(`${path}&cursor=${String(first.body['next'])}`, NDJSON);
    expect(linesOf(rest)).toHaveLength(1190);
  });

  it('that is empty is only the names of its columns, or nothing', async () => {
    expect((await api.get('/v1/devices?productKey=nope', NDJSON)).text).toBe('');
    expect((await api.get('/v1/devices?productKey=nope', CSV)).text).toMatch(/^[\w,]*productKey[\w,]*\r\n$/);
  });

  it.each([
    ['/v1/devices?limit=0', 400, 'limit'],
    ['/v1/devices?limit=10001', 400, 'limit'],
    ['/v1/devices?limit=1&limit=2', 400, 'limit'],
    ['/v1/devices?cursor=nonsense', 400, 'cursor'],
    ['/v1/devices?online=maybe', 400, 'online'],
    [`/v1/devices/${meter}/properties?limit=5`, 400, 'limit'],
    ['/v1/devices/a:nope/readings', 404, null],
  ])('%s is a problem with status %i before anything is sent', async (path, status, parameter) => {
    for (const headers of [CSV, NDJSON]) {
      const reply = await api.get(path, headers);
      expect(reply).toMatchObject({ status, type: 'application/problem+json; charset=utf-8' });
      if (parameter !== null) expect(reply.body).toMatchObject({ errors: [{ parameter }] });
    }
  });

  it.each(['/v1/devices', '/v1/devices?limit=50'])('%s is compressed for those who accept that', async (path) => {
    const plain = await fetch(api.url + path, { headers: { ...CSV, 'accept-encoding': 'identity' } });
    expect(plain.headers.get('content-encoding')).toBeNull();
    const zipped = await fetch(api.url + path, { headers: { ...CSV, 'accept-encoding': 'br, gzip;q=0.5' } });
    expect(zipped.headers.get('content-encoding')).toBe('gzip');
    expect(zipped.headers.get('vary')).toBe('Accept, Accept-Encoding');
    expect(await zipped.text()).toBe(await plain.text()); // fetch unpacks
  });

  it('answers a HEAD with the headers alone', async () => {
    const reply = await fetch(`${api.url}/v1/devices`, { method: 'HEAD', headers: CSV });
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toContain('text/csv');
    expect(await reply.text()).toBe('');
  });
});

/** JSON texts of a list, apart: commas between braces of the first level. */
function splitItems(text: string): string[] {
  const items: string[] = [];
  let [depth, start, quoted] = [0, 0, false];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (quoted) {
      if (character === '\\') index += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    else if (character === ',' && depth === 0) {
      items.push(text.slice(start, index));
      start = index + 1;
    }
  }
  if (text !== '') items.push(text.slice(start));
  return items;
}

/** The fields of an item as CSV should have them: text as it is, nothing as nothing, `value` and structs as JSON. */
function fieldsOf(item: string): Record<string, string> {
  const body = /^\{(.*)\}$/s.exec(item)?.[1] ?? '';
  return Object.fromEntries(
    splitItems(body).map((pair) => {
      const [, name = '', value = ''] = /^"(\w+)":(.*)$/s.exec(pair) ?? [];
      const isText = value.startsWith('"') && !['value', 'values'].includes(name);
      return [name, isText ? (JSON.parse(value) as string) : value === 'null' && name !== 'value' ? '' : value];
    }),
  );
}
