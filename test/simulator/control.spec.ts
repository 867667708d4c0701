import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Device } from '../../src/simulator/devices/device.js';
import type { Product } from '../../src/simulator/devices/product.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
import { enterpriseLogin, livingLogin, RawClient, until } from './raw-client.js';

const DEFAULT_GROUP = 'enterprise/iot-demo0001/DEFAULT_GROUP';
const METER: Product = {
  productKey: 'h9TestMete1',
  deviceType: 'Meter',
  voice: 'enterprise',
  role: 'device',
  tenant: 'enterprise/iot-demo0001',
  model: null,
  validation: 'none',
  rawScript: null,
  messageScript: null,
};

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** What the body says, where it is JSON. */
  readonly body: Record<string, unknown>;
}

describe('the control API', () => {
  let simulator: Simulator;
  const clients: RawClient[] = [];
  const logged: string[] = [];

  const start = async (options: SimulatorOptions = {}): Promise<void> => {
    simulator = await startSimulator({
      controlPort: 0,
      log: { info: () => undefined, warn: (msg, fields) => logged.push(`${msg} ${JSON.stringify(fields ?? {})}`) },
      ...options,
    });
  };
  const restart = async (options: SimulatorOptions): Promise<void> => {
    await simulator.stop();
    await start(options);
  };
  /** Node's fetch sets some headers by itself, so this is a plain request. */
  const ask = async (
    method: string,
    path: string,
    content?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const body = content === undefined ? undefined : typeof content === 'string' ? content : JSON.stringify(content);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const port = simulator.controlPort ?? 0;
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port, method, path, headers: { ...type, ...headers }, agent: false },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (data: string) => (text += data));
          answer.on('end', () => {
            const json = (answer.headers['content-type'] ?? '').includes('json');
            const said = json ? (JSON.parse(text) as Record<string, unknown>) : {};
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, body: said });
          });
        },
      );
      asked.once('error', reject);
      asked.end(body);
    });
  };
  const addDevice = (deviceName: string): Device => {
    const device = new Device({
      product: METER,
      deviceName,
      iotId: `iot-${deviceName}`,
      deviceSecret: `secret-of-${deviceName}`,
      createdAt: 1_700_000_000_000,
    });
    simulator.registry.add(device);
    return device;
  };
  const consume = (login = livingLogin()): RawClient => {
    const client = new RawClient(simulator, login).receive(100);
    client.onMessage = ({ delivery }) => delivery.accept();
    clients.push(client);
    return client;
  };

  beforeEach(async () => {
    logged.length = 0;
    await start();
  });
  afterEach(async () => {
    await simulator.stop();
    await until(() =>
      clients.every(({ happened }) => happened.some((name) => /^(disconnected|connection_close)/.test(name))),
    );
    clients.length = 0;
  });

  it('tells the simulated time', async () => {
    await restart({ clock: () => 1_700_000_000_123 });
    expect((await ask('GET', '/v1/clock')).body).toEqual({
      now: '2023-11-14T22:13:20.123Z',
      ms: 1_700_000_000_123,
      scale: 1,
    });
  });

  it('shows tenants, products and devices without any secret', async () => {
    addDevice('m1');
    for (const path of [
      '/v1/tenants',
      '/v1/products',
      '/v1/devices',
      '/v1/devices/h9TestMete1:m1',
      '/v1/groups',
      '/v1/summary',
    ]) {
      const { status, text } = await ask('GET', path);
      expect({ path, status }).toEqual({ path, status: 200 });
      expect(text).not.toMatch(/secret|Secret|CAISdemo/);
    }
    const { body } = await ask('GET', '/v1/tenants');
    expect(body.items).toMatchObject([
      { tenant: 'living/90001234', sync: true, groups: ['living/90001234'] },
      {
        tenant: 'enterprise/iot-demo0001',
        groups: [DEFAULT_GROUP, 'enterprise/iot-demo0001/demoGroup000100'],
        accessKeys: [
          { accessKeyId: 'demoAccessKeyId01', temporary: false },
          { accessKeyId: 'STS.demoKeyId02', temporary: true },
        ],
      },
    ]);
  });

  it('tells a device’s secret to whoever asks for just that', async () => {
    addDevice('m1');
    const { body, headers } = await ask('GET', '/v1/devices/h9TestMete1:m1/credentials');
    expect(body).toEqual({
      productKey: 'h9TestMete1',
      deviceName: 'm1',
      deviceSecret: 'secret-of-m1',
      iotId: 'iot-m1',
    });
    expect(headers['cache-control']).toBe('no-store');
    expect((await ask('GET', '/v1/devices/h9TestMete1:m2/credentials')).status).toBe(404);
  });

  it('lists devices page by page', async () => {
    for (let i = 0; i < 7; i++) addDevice(`m${i}`).online = i % 2 === 0;
    const names: string[] = [];
    let after = '';
    for (let pages = 0; pages < 4; pages++) {
      const { body } = await ask('GET', `/v1/devices?limit=3&product=h9TestMete1${after}`);
      names.push(...(body.items as { deviceName: string }[]).map(({ deviceName }) => deviceName));
      if (body.next === null) break;
      after = `&after=${encodeURIComponent(body.next as string)}`;
    }
    expect(names).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6']);
    const online = await ask('GET', '/v1/devices?online=true&product=h9TestMete1&name=m');
    expect(online.body.items).toHaveLength(4);
  });

  it('answers for a group what QueryConsumerGroupStatus does, and more', async () => {
    simulator.publish({ topic: '/pk/dn/user/x', body: 'waiting' });
    const consumer = consume();
    await until(() => simulator.living.counts.accepted === 1);
    const living = (await ask('GET', '/v1/groups/living/90001234')).body;
    expect(living.status).toEqual({
      RequestId: expect.stringMatching(/^[0-9A-F-]{36}$/),
      Success: true,
      Code: '',
      ErrorMessage: '',
      AccumulationCount: 0,
      ConsumerSpeed: 1,
      RealTimeConsumeCountPerMinute: expect.any(Number),
      AccumulatedConsumeCountPerMinute: expect.any(Number),
      LastConsumerTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      ClientConnectionStatusList: {
        ConsumerGroupClientConnectionInfo: [
          {
            ClientId: 'test',
            ClientIpPort: expect.stringMatching(/127\.0\.0\.1:\d+$/),
            OnlineTime: expect.any(Number),
            RealTimeConsumeCountPerMinute: expect.any(Number),
            AccumulatedConsumeCountPerMinute: expect.any(Number),
          },
        ],
      },
    });
    expect(living).toMatchObject({ unacknowledged: 0, queues: { realTime: 0, backlog: 0 }, totals: { accepted: 1 } });
    const other = (await ask('GET', `/v1/groups/${DEFAULT_GROUP}`)).body;
    expect(other).toMatchObject({ group: DEFAULT_GROUP, queues: { backlog: 1 }, status: { AccumulationCount: 1 } });
    expect((await ask('GET', '/v1/clients')).body).toMatchObject({
      items: [{ group: 'living/90001234', ClientId: 'test' }],
    });
    consumer.connection.close();
  });

  it('clears the backlog of a group, and of that one only', async () => {
    const id = simulator.publish({ topic: '/pk/dn/user/x', body: 'x' });
    const { status, body } = await ask('POST', `/v1/groups/${DEFAULT_GROUP}/reset`, {});
    expect({ status, body }).toEqual({ status: 200, body: { group: DEFAULT_GROUP, cleared: 1 } });
    expect(simulator.fate(id, DEFAULT_GROUP)).toMatchObject({ outcome: 'cleared' });
    expect(simulator.living.counts.queued).toBe(1);
    expect((await ask('POST', '/v1/groups/enterprise/iot-demo0001/nope/reset', {})).status).toBe(404);
  });

  it('publishes text and bytes, and shows a message with its fate', async () => {
    const text = await ask('POST', '/v1/messages', { topic: '/pk/dn/user/x', body: '{"n":12345678901234567890}' });
    expect(text.status).toBe(201);
    const bytes = await ask('POST', '/v1/messages', { topic: null, bodyBase64: '/wAB', messageId: '7', qos: null });
    expect(bytes.body).toEqual({ messageId: '7' });
    consume(enterpriseLogin('DEFAULT_GROUP', 'worker'));
    await until(() => simulator.accepted === 2);
    expect((await ask('GET', '/v1/messages/7')).body).toMatchObject({
      messageId: '7',
      topic: null,
      body: { bytes: 3, form: 'base64', content: '/wAB' },
    });
    expect((await ask('GET', '/v1/messages/7?as=hex')).body.body).toEqual({ bytes: 3, form: 'hex', content: 'ff0001' });
    expect((await ask('GET', '/v1/messages/7?as=text')).body.body).toMatchObject({ form: 'text', exact: false });
    const { body } = await ask('GET', `/v1/messages/${String(text.body.messageId)}`);
    expect(body).toMatchObject({
      device: 'pk:dn',
      arrival: { from: 'control', topic: null },
      processing: { topic: '/pk/dn/user/x', notes: [] },
      body: { form: 'text', content: '{"n":12345678901234567890}' },
    });
    const forwarding = body.forwarding as { group: string }[];
    expect(forwarding.find(({ group }) => group === DEFAULT_GROUP)).toMatchObject({
      outcome: 'accepted',
      deliveries: 1,
      leftOut: 0,
      attempts: [{ client: 'worker', answer: 'accepted' }],
    });
  });

  it('never cuts a body', async () => {
    const body = 'ä'.repeat(300_000);
    const { body: published } = await ask('POST', '/v1/messages', { topic: '/pk/dn/user/x', body });
    const { body: found } = await ask('GET', `/v1/messages/${String(published.messageId)}`);
    expect((found.body as { content: string }).content).toBe(body);
  });

  it('finds messages by device, id, topic, time and fate, page by page', async () => {
    let now = 1_000;
    await restart({ clock: () => now });
    for (const name of ['a', 'b', 'a', 'a', 'b']) {
      simulator.publish({ topic: `/pk/${name}/user/x`, body: name });
      now += 1_000;
    }
    const find = async (search: string): Promise<{ times: string[]; next: unknown }> => {
      const { status, body } = await ask('GET', `/v1/messages?${search}`);
      expect(status).toBe(200);
      return { times: (body.items as { at: string }[]).map(({ at }) => at.slice(17, 19)), next: body.next };
    };
    expect(await find('device=pk:a')).toEqual({ times: ['04', '03', '01'], next: null });
    const first = await find('device=pk:a&limit=2');
    expect(first).toEqual({ times: ['04', '03'], next: '3' });
    expect(await find(`device=pk:a&limit=2&before=${String(first.next)}`)).toEqual({ times: ['01'], next: null });
    expect((await find('topic=/b/')).times).toEqual(['05', '02']);
    expect((await find('from=1970-01-01T00:00:02Z&to=4000')).times).toEqual(['03', '02']);
    expect((await find(`group=${DEFAULT_GROUP}&fate=queued`)).times).toHaveLength(5);
    expect((await find('fate=accepted')).times).toEqual([]);
    expect((await find('messageId=nope')).times).toEqual([]);
  });

  it('keeps refused sign-ins in the message log, without the password', async () => {
    const { username } = livingLogin('intruder');
    const client = new RawClient(simulator, { username, password: 'not-the-password' });
    clients.push(client);
    await until(() => simulator.logins.refused === 1);
    const { body, text } = await ask('GET', '/v1/messages?fate=refused');
    expect(body.items).toMatchObject([
      { kind: 'refused', what: 'sign-in', who: 'intruder', reason: expect.stringContaining('wrong password') },
    ]);
    expect(text).not.toContain('not-the-password');
    const { seq } = (body.items as { seq: number }[])[0]!;
    expect((await ask('GET', `/v1/records/${seq}`)).body).toMatchObject({ who: 'intruder', body: null });
  });

  it('sends a command, whose answer arrives as a message', async () => {
    addDevice('m1');
    const { status, body } = await ask('POST', '/v1/devices/h9TestMete1:m1/commands', {
      service: 'property/set',
      params: { Switch: 1 },
    });
    expect(status).toBe(202);
    const found = await ask('GET', `/v1/messages?device=h9TestMete1:m1&keyword=${String(body.requestId)}`);
    expect(found.body.items).toMatchObject([
      { topic: expect.stringContaining('/h9TestMete1/m1/thing/downlink/reply/message') },
    ]);
    const inexact = `{"service":"property/set","params":{"n":[12345678901234567890]}}`;
    const refused = await ask('POST', '/v1/devices/h9TestMete1:m1/commands', inexact);
    expect(refused).toMatchObject({ status: 400, body: { errors: [{ field: expect.stringContaining('params') }] } });
  });

  it('switches the data sync of a Living app, and what an instance subscribes to', async () => {
    expect((await ask('PUT', '/v1/tenants/living/90001234/sync', { on: false })).status).toBe(200);
    simulator.publish({ topic: '/pk/dn/user/x', body: 'x' });
    expect(simulator.living.counts.published).toBe(0);
    const groups = '/v1/tenants/enterprise/iot-demo0001/groups';
    expect((await ask('POST', groups, { consumerGroupId: 'night' })).status).toBe(201);
    expect(await ask('POST', groups, { consumerGroupId: 'night' })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('night') },
    });
    const subscription = '/v1/tenants/enterprise/iot-demo0001/subscriptions/pk';
    const wanted = { messages: ['DeviceDataFlag'], groups: ['night'] };
    expect((await ask('PUT', subscription, wanted)).status).toBe(200);
    const id = simulator.publish({ topic: '/pk/dn/user/x', body: 'x', tenant: 'enterprise/iot-demo0001' });
    expect((await ask('GET', `/v1/messages/${id}`)).body.forwarding).toMatchObject([
      { group: 'enterprise/iot-demo0001/night' },
    ]);
    expect((await ask('DELETE', subscription)).status).toBe(204);
    expect((await ask('DELETE', `${groups}/night`)).status).toBe(204);
    expect((await ask('DELETE', `${groups}/night`)).status).toBe(404);
  });

  it('starts and ends faults and scenarios', async () => {
    const { status, body } = await ask('POST', '/v1/faults', { fault: 'duplicates', forMs: 60_000 });
    expect({ status, body }).toMatchObject({ status: 201, body: { fault: 'duplicates', running: true } });
    expect((await ask('GET', '/v1/summary')).body.faults).toEqual([{ id: body.id, fault: 'duplicates' }]);
    expect((await ask('DELETE', `/v1/faults/${String(body.id)}`)).status).toBe(204);
    expect((await ask('GET', '/v1/faults')).body.items).toMatchObject([{ id: body.id, running: false }]);
    expect((await ask('DELETE', '/v1/faults/nope-1')).status).toBe(404);
    const unknown = await ask('POST', '/v1/faults', { fault: 'plague' });
    expect(unknown).toMatchObject({ status: 400, body: { detail: expect.stringContaining('plague') } });
    const yaml = { 'content-type': 'application/yaml' };
    const wrong = await ask('POST', '/v1/scenarios', 'steps:\n  - { at: 0s, fault: plague }\n', yaml);
    expect(wrong).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/:2: /) } });
    const scenario = await ask('POST', '/v1/scenarios', 'steps:\n  - { at: 0s, fault: duplicates, for: 5m }\n', yaml);
    expect(scenario.status).toBe(201);
  });

  it('gives the summary in portions: of each group only what is new', async () => {
    type Summary = { tick: number; groups: { samples: number[][] }[] };
    const first = (await ask('GET', '/v1/summary')).body as Summary;
    expect(first.groups).toHaveLength(3);
    expect(first.groups[0]?.samples).toHaveLength(first.tick);
    const second = (await ask('GET', `/v1/summary?since=${first.tick}`)).body as Summary;
    expect(second.groups[0]?.samples).toHaveLength(second.tick - first.tick);
  });

  it.each<[string, string, string, unknown, string]>([
    ['a misspelt field', 'POST', '/v1/messages', { topic: '/t', body: '', bdoy: '' }, 'bdoy'],
    ['a missing field', 'POST', '/v1/messages', { body: '' }, 'topic'],
    ['two bodies', 'POST', '/v1/messages', { topic: '/t', body: '', bodyBase64: '' }, 'body'],
    ['a body that is no Base64', 'POST', '/v1/messages', { topic: '/t', bodyBase64: '?' }, 'bodyBase64'],
    ['a limit that is too large', 'GET', '/v1/messages?limit=1001', undefined, 'limit'],
    ['an unknown search', 'GET', '/v1/messages?devcie=x', undefined, 'devcie'],
    ['a time that is none', 'GET', '/v1/messages?from=yesterday', undefined, 'from'],
    ['a fate that is none', 'GET', '/v1/messages?fate=lost', undefined, 'fate'],
    ['an unknown group', 'GET', '/v1/messages?group=living/1', undefined, 'group'],
    ['a value of the wrong type', 'PUT', '/v1/tenants/living/90001234/sync', { on: 'yes' }, 'on'],
    [
      'a message type that is none',
      'PUT',
      '/v1/tenants/enterprise/iot-demo0001/subscriptions/pk',
      { messages: ['X'], groups: ['g'] },
      'messages.0',
    ],
  ])('names what is wrong: %s', async (_, method, path, content, field) => {
    const { status, headers, body } = await ask(method, path, content);
    expect(status).toBe(400);
    expect(headers['content-type']).toContain('application/problem+json');
    expect(body).toMatchObject({ title: 'Bad Request', status: 400, errors: [{ field }] });
  });

  it.each<[string, number, string, string, unknown, Record<string, string>]>([
    ['a body that is no JSON', 400, 'POST', '/v1/messages', '{', {}],
    ['a body that is too large', 413, 'POST', '/v1/messages', `"${'x'.repeat(1_100_000)}"`, {}],
    ['an unknown route', 404, 'GET', '/v1/nothing', undefined, {}],
    ['a wrong method', 404, 'DELETE', '/v1/groups', undefined, {}],
    [
      'a form of another site',
      415,
      'POST',
      '/v1/messages',
      'a=b',
      { 'content-type': 'application/x-www-form-urlencoded' },
    ],
    ['plain text', 415, 'POST', '/v1/messages', '{}', { 'content-type': 'text/plain' }],
    ['a change without a content type', 415, 'POST', `/v1/groups/${DEFAULT_GROUP}/reset`, undefined, {}],
    ['JSON where a scenario is YAML', 415, 'POST', '/v1/scenarios', '{}', {}],
    ['a page of another site', 403, 'POST', '/v1/messages', '{}', { origin: 'http://evil.example' }],
    ['a page of a sandboxed frame', 403, 'GET', '/v1/tenants', undefined, { origin: 'null' }],
    ['another name for this machine', 403, 'GET', '/v1/tenants', undefined, { host: 'rebound.example:5680' }],
    ['a name that begins like an address', 403, 'GET', '/', undefined, { host: '127.0.0.1.evil.example' }],
  ])('refuses %s with %i', async (_, expected, method, path, content, headers) => {
    const { status, body, text } = await ask(method, path, content, headers);
    expect(status).toBe(expected);
    expect(body).toMatchObject({ status: expected, detail: expect.any(String) });
    expect(text).not.toMatch(/\.(js|ts):\d/);
    expect(simulator.published).toBe(0);
  });

  it.each(['localhost', '127.0.0.1', '[::1]'])('is reached as %s', async (name) => {
    const host = `${name}:${simulator.controlPort ?? 0}`;
    expect((await ask('GET', '/v1/clock', undefined, { host, origin: `http://${host}` })).status).toBe(200);
  });

  it('asks for its token, however the path is written, and shows the page without', async () => {
    await restart({ controlToken: 'let-me-in' });
    for (const path of ['/v1/tenants', '/%76%31/tenants', '//v1/tenants', '/v1/nothing']) {
      for (const headers of [undefined, { authorization: 'Bearer let-me' }, { authorization: 'let-me-in' }]) {
        const { status, text } = await ask('GET', path, undefined, headers);
        expect({ path, status }).toEqual({ path, status: 401 });
        expect(text).not.toContain('let-me-in');
      }
    }
    expect((await ask('GET', '/v1/tenants', undefined, { authorization: 'Bearer let-me-in' })).status).toBe(200);
    expect((await ask('GET', '/')).status).toBe(200);
  });

  it('does not start on a network without a token, nor on a port that is taken', async () => {
    await expect(startSimulator({ controlPort: 0, controlHost: '0.0.0.0' })).rejects.toThrow(/SIMULATOR_CONTROL_TOKEN/);
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(startSimulator({ controlPort: port })).rejects.toThrow(
      new RegExp(`${port}.*taken.*SIMULATOR_CONTROL_PORT`),
    );
    server.close();
  });

  it('serves its page with a policy that runs no script but its own', async () => {
    const { status, headers, text } = await ask('GET', '/');
    expect(status).toBe(200);
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(text).not.toMatch(/<script>|\son\w+=|style=/);
    for (const file of ['/page.js', '/page.css']) expect((await ask('GET', file)).status).toBe(200);
    expect((await ask('GET', '/page.js')).text).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write/);
  });
});
