import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Socket } from 'node:net';
import { aNumber, aReading, startApi, type TestApi } from '../support/api.js';

const DEVICE = '/v1/devices/a1:one';
const PROBLEM = 'application/problem+json; charset=utf-8';

describe('bad requests', () => {
  let api: TestApi;
  let cursor: string;

  beforeAll(async () => {
    api = await startApi();
    const devices = ['one', 'two'].map((deviceName) => ({ productKey: 'a1', deviceName }));
    await api.happened(...devices.map((device) => aReading(device, 'Total', aNumber('1'))));
    cursor = String((await api.get('/v1/devices?limit=1')).body['next']);
  });
  afterAll(() => api.close());

  it.each([
    ['/v1/devices?limit=0', 'limit'],
    ['/v1/devices?limit=1001', 'limit'],
    ['/v1/devices?limit=ten', 'limit'],
    ['/v1/devices?limit=-1', 'limit'],
    ['/v1/devices?limit=1.5', 'limit'],
    ['/v1/devices?limit=', 'limit'],
    ['/v1/devices?limit=1&limit=2', 'limit'],
    ['/v1/devices?online=maybe', 'online'],
    ['/v1/devices?deleted=yes', 'deleted'],
    ['/v1/devices?productKey=', 'productKey'],
    ['/v1/devices?productKey=a&productKey=b', 'productKey'],
    ['/v1/devices?q=%00', 'q'],
    [`/v1/devices?q=${'x'.repeat(257)}`, 'q'],
    ['/v1/devices?productkey=a1', 'productkey'],
    ['/v1/devices?__proto__=1', '__proto__'],
    ['/v1/devices?constructor=1', 'constructor'],
    ['/v1/devices?cursor=', 'cursor'],
    ['/v1/devices?cursor=nonsense', 'cursor'],
    [`/v1/devices?cursor=${Buffer.from('[1,"x"]').toString('base64url')}`, 'cursor'],
    [`/v1/devices?cursor=${Buffer.from('null').toString('base64url')}`, 'cursor'],
    ['/v1/devices/:name', 'device'],
    ['/v1/devices/a1:', 'device'],
    ['/v1/devices/a1:o%00ne', 'device'],
    [`/v1/devices/${'x'.repeat(601)}`, 'device'],
    [`${DEVICE}?verbose=true`, 'verbose'],
    [`${DEVICE}/status?when=1`, 'when'],
    [`${DEVICE}/properties/a%00b`, 'identifier'],
    [`${DEVICE}/properties?limit=5`, 'limit'],
    [`${DEVICE}/readings?from=yesterday`, 'from'],
    [`${DEVICE}/readings?from=2026-11-22`, 'from'],
    [`${DEVICE}/readings?from=2026-02-30T00:00:00Z`, 'from'],
    [`${DEVICE}/readings?from=2026-11-22T25:00:00Z`, 'from'],
    [`${DEVICE}/readings?from=0000-01-01T00:00:00Z`, 'from'],
    [`${DEVICE}/readings?to=300000000000000000`, 'to'],
    [`${DEVICE}/readings?to=1e12`, 'to'],
    [`${DEVICE}/readings?from=2000&to=2000`, 'from'],
    [`${DEVICE}/readings?from=2001&to=2000`, 'from'],
    [`${DEVICE}/readings?order=up`, 'order'],
    [`${DEVICE}/readings?identifier=`, 'identifier'],
    [`${DEVICE}/readings?identifier=%00`, 'identifier'],
    [`${DEVICE}/readings?identifier=${'x'.repeat(257)}`, 'identifier'],
    [`${DEVICE}/readings?${'identifier=x&'.repeat(101)}`, 'identifier'],
    ['/v1/readings', 'device'],
    ['/v1/readings?device=a1:', 'device'],
    [`/v1/readings?${'device=a1:one&'.repeat(101)}`, 'device'],
    ['/v1/readings?device=a1:one&order=up', 'order'],
    [`${DEVICE}/aggregates`, 'interval'],
    [`${DEVICE}/aggregates?interval=5m`, 'interval'],
    [`${DEVICE}/aggregates?interval=P1DT1H`, 'interval'],
    [`${DEVICE}/aggregates?interval=PT1M&interval=PT5M`, 'interval'],
    [`${DEVICE}/aggregates?interval=P1D&timeZone=Mars/Base`, 'timeZone'],
    [`${DEVICE}/aggregates?interval=P1D&timeZone=%2B08:00`, 'timeZone'],
    [`${DEVICE}/aggregates?interval=P1D&functions=`, 'functions'],
    [`${DEVICE}/aggregates?interval=P1D&functions=avg,median`, 'functions'],
    [`${DEVICE}/aggregates?interval=P1D&functions=p101`, 'functions'],
    [`${DEVICE}/aggregates?interval=P1D&functions=__proto__`, 'functions'],
    [`${DEVICE}/aggregates?interval=P1D&fill=zero`, 'fill'],
    [`${DEVICE}/aggregates?interval=P1D&from=2000&to=2000`, 'from'],
    [`${DEVICE}/aggregates?interval=P1D&limit=5`, 'limit'],
    [`${DEVICE}/series?points=4`, 'points'],
    [`${DEVICE}/series?points=5001`, 'points'],
    [`${DEVICE}/series?from=x`, 'from'],
    [`${DEVICE}/events?kind=`, 'kind'],
    [`${DEVICE}/events?from=x`, 'from'],
    [`${DEVICE}/bindings?at=x`, 'at'],
    [`${DEVICE}/bindings?at=1&history=true`, 'at'],
    [`${DEVICE}/bindings?history=1`, 'history'],
    ['/v1/users/a%00b/devices', 'identityId'],
    ['/v1/users/anna/devices?at=x', 'at'],
    ['/v1/events?device=x', 'device'],
    ['/v1/set-aside?replayed=1', 'replayed'],
    ['/v1/set-aside?device=iot-1', 'device'],
    ['/v1/set-aside?device=:d', 'device'],
    ['/v1/set-aside?topicPrefix=', 'topicPrefix'],
    ['/v1/set-aside?from=2000&to=2000', 'from'],
    ['/v1/set-aside?outdated=1', 'outdated'],
    ['/v1/set-aside?refusedBy=x&outdated=false', 'outdated'],
    ['/v1/set-aside/counts?limit=1', 'limit'],
    ['/v1/set-aside/replays?reason=x', 'reason'],
    ['/v1/set-aside/123', 'id'],
    ['/v1/set-aside/zz345678901234567890123456789012', 'id'],
    ['/v1/ingest?x=1', 'x'],
  ])('%s is refused, naming %s', async (path, parameter) => {
    const { status, type, body } = await api.get(path);
    expect({ status, type }).toEqual({ status: 400, type: PROBLEM });
    expect(body).toMatchObject({
      type: 'urn:living-mirror:problem:bad-parameters',
      title: 'Bad parameters',
      status: 400,
      errors: [{ parameter, detail: expect.stringMatching(/^(must|is|cannot|belongs)/) }],
    });
    expect(Object.keys(body).sort()).toEqual(['detail', 'errors', 'status', 'title', 'type']);
  });

  it('names every wrong parameter at once', async () => {
    const { body } = await api.get(`${DEVICE}/readings?from=x&limit=0&sort=up`);
    const named = (body['errors'] as { parameter: string }[]).map(({ parameter }) => parameter);
    expect(named.sort()).toEqual(['from', 'limit', 'sort']);
  });

  it('refuses the cursor of another question', async () => {
    expect(await api.get(`/v1/devices?limit=1&cursor=${cursor}`)).toMatchObject({ status: 200 });
    for (const path of ['/v1/devices?productKey=a1', '/v1/devices?deleted=true', `${DEVICE}/readings?limit=1`]) {
      expect(await api.get(`${path}&cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { errors: [{ parameter: 'cursor' }] },
      });
    }
  });

  it('refuses a cursor that holds what cannot be a place', async () => {
    const readings = await api.get(`${DEVICE}/events`);
    expect(readings.status).toBe(200);
    const [version, mark] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [number, string];
    const forged = (place: unknown[]): string =>
      Buffer.from(JSON.stringify([version, mark, ...place])).toString('base64url');
    expect(await api.get(`/v1/devices?cursor=${forged(['a1', 'one'])}`)).toMatchObject({ status: 200 });
    for (const place of [['a1', 5], ['a1', '\0'], ['a1'], ['a1', null], ['a1', 'b', 'c']]) {
      expect(await api.get(`/v1/devices?cursor=${forged(place)}`)).toMatchObject({ status: 400 });
    }
  });

  it.each([
    ['GET', '/v1/nope', 404],
    ['GET', '/v1/devices/a/b/c/d', 404],
    ['DELETE', '/v1/devices/a1:one', 404],
    ['POST', '/v1/devices', 404],
    ['GET', '/%zz', 400],
    ['GET', `/v1/devices/${'x'.repeat(3000)}`, 414],
  ])('%s %s is a problem with status %i', async (method, path, status) => {
    const reply = await fetch(api.url + path, { method });
    expect(reply.headers.get('content-type')).toBe(PROBLEM);
    expect(reply.status).toBe(status);
    const body = (await reply.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ type: 'about:blank', status });
    expect(JSON.stringify(body)).not.toMatch(/node_modules|\.ts|\.js\b/);
  });

  it.each([
    ['a body that is too large', { body: 'x'.repeat(20_000), type: 'application/json' }, 413],
    ['a body that is not JSON', { body: '{', type: 'application/json' }, 400],
    ['a body of another kind', { body: '<x/>', type: 'application/xml' }, 415],
  ])('%s is a problem', async (_, { body, type }, status) => {
    const reply = await fetch(`${api.url}/v1/set-aside/${'1'.repeat(32)}/replay`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toBe(PROBLEM);
  });

  it('answers what is not HTTP, and addresses beyond all limits, without falling over', async () => {
    const port = Number(new URL(api.url).port);
    expect(await raw(port, 'nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(port, `GET /v1/devices?q=${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await api.get('/health/live')).toMatchObject({ status: 200 });
  });
});

async function raw(port: number, text: string): Promise<string> {
  const socket = new Socket();
  socket.connect(port, '127.0.0.1', () => socket.write(text));
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
