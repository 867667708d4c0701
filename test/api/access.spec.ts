import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startApi, type TestApi } from '../support/api.js';

const TOKEN = 'demo-token-1';
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const basic = (password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`anyone:${password}`).toString('base64')}`,
});

describe('with HTTP_TOKEN set', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi({ settings: { HTTP_TOKEN: TOKEN } });
  });
  afterAll(() => api.close());

  it.each([
    ['/v1/devices', {}],
    ['/v1/devices', bearer('demo-token-2')],
    ['/v1/devices', bearer('')],
    ['/v1/devices', bearer(`${TOKEN} ${TOKEN}`)],
    ['/v1/devices', basic(TOKEN)],
    ['/v1/set-aside/x/replay', {}],
    ['/metrics', {}],
    ['/docs', {}],
    ['/docs/openapi.json', {}],
    ['/docs/swagger-ui.css', {}],
    ['/nope', {}],
    ['/health/live/../../v1/devices', {}],
    ['/health/nope', {}],
    ['//health/live', {}],
  ])('%s with %j is a 401', async (path, headers) => {
    const { status, type, body, headers: sent } = await api.get(path, headers);
    expect({ status, type }).toEqual({ status: 401, type: 'application/problem+json; charset=utf-8' });
    expect(body).toMatchObject({ title: 'Unauthorized', detail: expect.stringContaining('HTTP_TOKEN') });
    expect(JSON.stringify(body)).not.toContain(TOKEN);
    expect(sent.get('www-authenticate')).toMatch(/^Bearer realm=/);
  });

  it.each([
    ['/v1/devices', bearer(TOKEN)],
    ['/v1/devices', { authorization: `bearer ${TOKEN}` }],
    ['/metrics', bearer(TOKEN)],
    ['/docs', bearer(TOKEN)],
    ['/docs', basic(TOKEN)],
    ['/docs/openapi.json', basic(TOKEN)],
    ['/health/live', {}],
    ['/health/ready', {}],
    ['/health/ready?probe=1', {}],
  ])('%s with %j is answered', async (path, headers) => {
    expect(await api.get(path, headers)).toMatchObject({ status: 200 });
  });

  it('asks a browser that wants to read the documentation for a password', async () => {
    expect((await api.get('/docs')).headers.get('www-authenticate')).toContain('Basic realm=');
    expect((await api.get('/v1/devices')).headers.get('www-authenticate')).not.toContain('Basic');
  });

  it('tells Prometheus of requests, messages and the process', async () => {
    const { text, type } = await api.get('/metrics', bearer(TOKEN));
    expect(type).toContain('text/plain');
    expect(text).toMatch(
      /living_mirror_http_request_seconds_count\{method="GET",route="\/v1\/devices",status="200"\} [1-9]/,
    );
    expect(text).toContain('# TYPE living_mirror_messages_total counter');
    expect(text).toContain('# TYPE living_mirror_receive_to_commit_seconds histogram');
  });
});

describe('a documentation page', () => {
  let api: TestApi;

  beforeAll(async () => {
    api = await startApi();
  });
  afterAll(() => api.close());

  it('needs no other host', async () => {
    const { status, type, text } = await api.get('/docs');
    expect({ status, type }).toEqual({ status: 200, type: expect.stringContaining('text/html') });
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
    const assets = [...text.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(([, path]) => path);
    expect(assets.length).toBeGreaterThan(2);
    for (const asset of assets) {
      expect([asset, (await api.get(new URL(asset ?? '', `${api.url}/docs`).pathname)).status]).toEqual([asset, 200]);
    }
  });
});
