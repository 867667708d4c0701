import { createHmac } from 'node:crypto';
import { connect as connectTcp } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { Device } from '../../src/simulator/devices/device.js';
import type { Product } from '../../src/simulator/devices/product.js';
import type { LogFields } from '../../src/simulator/log.js';
import type { ModelProperty, ThingModel } from '../../src/simulator/models/thing-model.js';
import { startSimulator, type Simulator } from '../../src/simulator/simulator.js';
import type { SimulatorOptions } from '../../src/simulator/simulator-options.js';
import { bodyOf, RawClient, until } from './raw-client.js';

const PK = 'h9DemoMqtt7';
const DN = 'esp32-001';
const SECRET = 'demoDeviceSecret-0042';
const NOW = 1_700_000_000_000;
const SYS = `/sys/${PK}/${DN}/thing`;

const property = (identifier: string, dataType: ModelProperty['dataType']): [string, ModelProperty] => [
  identifier,
  { identifier, name: identifier, dataType, writable: true },
];
const number = { type: 'double', min: null, max: null, step: null, unit: null } as const;
const MODEL: ThingModel = {
  productKey: PK,
  properties: new Map([
    property('Temperature', number),
    property('Count', { ...number, type: 'int' }),
    property('Big', { ...number, type: 'double' }),
    property('Site', {
      type: 'struct',
      members: [
        { identifier: 'lat', name: 'lat', dataType: number },
        { identifier: 'value', name: 'value', dataType: number },
      ],
    }),
  ]),
  events: new Map([
    [
      'Alarm',
      {
        identifier: 'Alarm',
        name: '过热',
        type: 'alert',
        outputs: [{ identifier: 'Level', name: 'Level', dataType: { ...number, type: 'int' } }],
      },
    ],
  ]),
  services: new Map(),
};

const RAW_SCRIPT = `
function rawDataToProtocol(bytes) {
  if (bytes[0] === 0xff) throw new Error('cannot read this');
  if (bytes[0] === 3) return { id: String(700000000 + bytes[1]), code: bytes[2] * 10, data: {}, version: '1.0' };
  if (bytes[0] === 4) return { id: '1', params: {}, version: '1.0' };
  return { method: 'thing.event.property.post', id: String(bytes[0]), params: { Count: bytes[1] }, version: '1.0' };
}
function protocolToRawData(json) {
  if (json.code !== undefined) return [0xa0, json.code / 10];
  return [0xb0, Number(json.id) % 256, json.params.Count];
}`;
const MESSAGE_SCRIPT = `function transformPayload(topic, bytes) { return { topic: topic, sum: bytes[0] + bytes[1] }; }`;

describe('the MQTT door', () => {
  const simulators: Simulator[] = [];
  const clients: MqttClient[] = [];
  const consumers: RawClient[] = [];
  const logged: { msg: string; fields: LogFields }[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) client.end(true);
    for (const consumer of consumers.splice(0)) consumer.connection.close();
    for (const simulator of simulators.splice(0)) await simulator.stop();
    logged.length = 0;
  });

  const start = async (options: SimulatorOptions = {}, product: Partial<Product> = {}): Promise<Simulator> => {
    const hear = (msg: string, fields: LogFields = {}): void => void logged.push({ msg, fields });
    const log = { info: hear, warn: hear };
    const simulator = await startSimulator({ mqttPort: 0, clock: () => NOW, log, ...options });
    simulators.push(simulator);
    for (const deviceName of [DN, 'esp32-002']) {
      simulator.registry.add(
        new Device({
          product: {
            productKey: PK,
            deviceType: 'CustomCategory',
            voice: 'enterprise',
            role: 'device',
            tenant: null,
            model: MODEL,
            validation: 'weak',
            rawScript: null,
            messageScript: null,
            ...product,
          },
          deviceName,
          deviceSecret: SECRET,
          iotId: `iot-${deviceName}`,
          createdAt: NOW,
        }),
      );
    }
    return simulator;
  };

  /** What an MQTT client needs to be a device, written down here once more, apart from the simulator's own code. */
  const login = (deviceName = DN, mode = 3): IClientOptions => ({
    clientId: `test|securemode=${mode},signmethod=hmacsha256,timestamp=1|`,
    username: `${deviceName}&${PK}`,
    password: createHmac('sha256', SECRET)
      .update(`clientIdtestdeviceName${deviceName}productKey${PK}timestamp1`)
      .digest('hex'),
    keepalive: 60,
    reconnectPeriod: 0,
    protocolVersion: 4,
  });

  interface Heard {
    readonly client: MqttClient;
    readonly messages: { topic: string; payload: Buffer; qos: number }[];
    readonly json: () => unknown[];
  }
  const join = async (
    simulator: Simulator,
    options: IClientOptions = login(),
    filters: string[] = [],
  ): Promise<Heard> => {
    const client = mqtt.connect({ host: '127.0.0.1', port: simulator.mqttPort ?? 0, ...options });
    clients.push(client);
    const messages: Heard['messages'] = [];
    client.on('message', (topic, payload, { qos }) => messages.push({ topic, payload, qos }));
    client.on('error', () => undefined);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed')));
    });
    for (const filter of filters) await client.subscribeAsync(filter, { qos: 1 });
    return { client, messages, json: () => messages.map(({ payload }) => JSON.parse(payload.toString()) as unknown) };
  };

  const consume = (simulator: Simulator): RawClient => {
    const consumer = new RawClient(simulator).receive(100);
    consumers.push(consumer);
    return consumer;
  };
  const topics = (consumer: RawClient): unknown[] =>
    consumer.received.map(({ message }) => message.application_properties?.topic as unknown);
  const bodies = (consumer: RawClient): Record<string, unknown>[] =>
    consumer.received.map((received) => JSON.parse(bodyOf(received).toString()) as Record<string, unknown>);
  const said = (msg: string): LogFields[] => logged.filter((line) => line.msg === msg).map(({ fields }) => fields);
  const identity = { iotId: `iot-${DN}`, productKey: PK, deviceName: DN };

  describe('sign-in and presence', () => {
    it('lets a device in, and tells that it came and went', async () => {
      const simulator = await start();
      const consumer = consume(simulator);
      const device = simulator.registry.device(PK, DN)!;
      expect(device.activated).toBe(false);
      const { client } = await join(simulator);
      expect(device).toMatchObject({ activated: true, online: true, takenOver: true });
      client.end();
      await until(() => consumer.received.length === 2);
      expect(topics(consumer)).toEqual([`/as/mqtt/status/${PK}/${DN}`, `/as/mqtt/status/${PK}/${DN}`]);
      const times = {
        time: '2023-11-15 06:13:20.000',
        utcTime: '2023-11-14T22:13:20.000Z',
        lastTime: '2023-11-15 06:13:20.000',
        utcLastTime: '2023-11-14T22:13:20.000Z',
      };
      expect(bodies(consumer)).toEqual([
        { ...identity, status: 'online', ...times, clientIp: '127.0.0.1' },
        { ...identity, status: 'offline', offlineReasonCode: 427, ...times, clientIp: '127.0.0.1' },
      ]);
      expect(device).toMatchObject({ online: false, takenOver: false });
    });

    it('tells Living of four changes a minute, however fast a device comes and goes', async () => {
      const simulator = await start({}, { voice: 'living', deviceType: 'AirPurifier' });
      const consumer = consume(simulator);
      const device = simulator.registry.device(PK, DN)!;
      for (let i = 0; i < 3; i++) {
        const { client } = await join(simulator);
        client.end();
        await until(() => !device.online);
      }
      const last = simulator.publish({ topic: '/t', body: '{"action":"last"}' });
      await until(() => consumer.ids.includes(last));
      expect(bodies(consumer).map(({ action }) => action)).toEqual(['online', 'offline', 'online', 'offline', 'last']);
    });

    it('speaks as the Living platform for a product of that', async () => {
      const simulator = await start({}, { voice: 'living', deviceType: 'AirPurifier' });
      const consumer = consume(simulator);
      await join(simulator);
      await until(() => consumer.received.length === 1);
      expect(topics(consumer)).toEqual([`/mqtt/status/${PK}/${DN}`]);
      expect(bodies(consumer)[0]).toMatchObject({ action: 'online', status: { value: '1', time: NOW } });
    });

    it.each<[string, IClientOptions, number]>([
      ['a wrong password', { password: 'ff' }, 4],
      ['a user name that is none', { username: 'x' }, 4],
      ['an unknown device', { username: `nobody&${PK}` }, 5],
      ['a keep-alive of 20 s', { keepalive: 20 }, 5],
      ['securemode 2 over plain TCP', { clientId: 'test|securemode=2,signmethod=hmacsha256,timestamp=1|' }, 5],
    ])('refuses %s with its return code, and says why in the log alone', async (_, wrong, code) => {
      const simulator = await start();
      await expect(join(simulator, { ...login(), ...wrong })).rejects.toMatchObject({ code });
      expect(said('refused a device')).toHaveLength(1);
      expect(JSON.stringify(logged)).not.toContain(SECRET);
      expect(simulator.published).toBe(0);
    });

    it('puts the second connection of a device in the place of the first', async () => {
      const simulator = await start();
      const consumer = consume(simulator);
      const first = await join(simulator);
      let closed = false;
      first.client.on('close', () => (closed = true));
      const second = await join(simulator, login(), [`${SYS}/#`]);
      await until(() => closed && consumer.received.length === 3);
      expect(bodies(consumer).map(({ status, offlineReasonCode }) => [status, offlineReasonCode])).toEqual([
        ['online', undefined],
        ['offline', 400],
        ['online', undefined],
      ]);
      simulator.downlinks.send(simulator.registry.device(PK, DN)!, 'property/set', { Count: 1 });
      await until(() => second.messages.length === 1);
    });

    it('puts a real device in the place of a virtual one, and gives the place back', async () => {
      const simulator = await start();
      const consumer = consume(simulator);
      const device = simulator.registry.device(PK, DN)!;
      Object.assign(device, { online: true, activated: true, lastPacketAt: NOW - 5, clientIp: '198.51.100.7' });
      const { client } = await join(simulator);
      expect(device.takenOver).toBe(true);
      client.end();
      await until(() => consumer.received.length === 3);
      expect(bodies(consumer)).toMatchObject([
        { status: 'offline', offlineReasonCode: 400, clientIp: '198.51.100.7' },
        { status: 'online', clientIp: '127.0.0.1' },
        { status: 'offline', offlineReasonCode: 427, clientIp: '127.0.0.1' },
      ]);
      expect(device).toMatchObject({ takenOver: false, clientIp: '198.51.100.7' });
    });

    it('gives a silent device up 1.5 keep-alives after its last packet', async () => {
      let now = NOW;
      const simulator = await start({ mqttMinKeepAliveSeconds: 1, mqttScanMs: 10, clock: () => now });
      const consumer = consume(simulator);
      const socket = connectTcp(simulator.mqttPort!, '127.0.0.1');
      // CONNECT with a keep-alive of 1 s, and then not a word.
      const { clientId = '', username = '', password = '' } = login();
      const field = (text: string): Buffer => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);
      const rest = Buffer.concat([
        Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 0xc2, 0, 1]),
        ...[clientId, username, String(password)].map(field),
      ]);
      socket.write(Buffer.concat([Buffer.from([0x10, 0x80 | (rest.length & 0x7f), rest.length >> 7]), rest]));
      await until(() => consumer.received.length === 1);
      now += 5_000;
      await until(() => consumer.received.length === 2);
      expect(bodies(consumer)[1]).toMatchObject({
        status: 'offline',
        offlineReasonCode: 425,
        utcTime: '2023-11-14T22:13:25.000Z',
        utcLastTime: '2023-11-14T22:13:20.000Z',
      });
      socket.destroy();
    });

    it('throws a disabled device out, and lets it in no more', async () => {
      const simulator = await start({ mqttScanMs: 10 });
      const consumer = consume(simulator);
      const { client } = await join(simulator);
      let closed = false;
      client.on('close', () => (closed = true));
      simulator.registry.device(PK, DN)!.disabled = true;
      await until(() => closed && consumer.received.length === 2);
      expect(bodies(consumer)[1]).toMatchObject({ status: 'offline', offlineReasonCode: 403 });
      await expect(join(simulator)).rejects.toMatchObject({ code: 5 });
    });

    it('takes TLS with securemode 2', async () => {
      const simulator = await start({ mqttPort: null, mqttTlsPort: 0 });
      const tls: IClientOptions = { protocol: 'mqtts', port: simulator.mqttTlsPort!, ca: simulator.ca! };
      await join(simulator, { ...login(DN, 2), ...tls });
      expect(simulator.registry.device(PK, DN)!.online).toBe(true);
    });

    it('says which port is taken, and by which setting it moves', async () => {
      const one = await start();
      await expect(startSimulator({ mqttPort: one.mqttPort })).rejects.toThrow(/is taken.*SIMULATOR_MQTT_PORT/);
    });
  });

  describe('uplinks', () => {
    /** A device that has come online, and a consumer that has forgotten so. */
    const both = async (
      product: Partial<Product> = {},
    ): Promise<Heard & { consumer: RawClient; simulator: Simulator }> => {
      const simulator = await start({}, product);
      const consumer = consume(simulator);
      const heard = await join(simulator, login(), [
        `${SYS}/#`,
        `/${PK}/${DN}/user/#`,
        `/ext/ntp/${PK}/${DN}/response`,
      ]);
      await until(() => consumer.received.length === 1);
      consumer.received.length = 0;
      return { ...heard, consumer, simulator };
    };
    const post = (client: MqttClient, rest: string, body: unknown): void =>
      void client.publish(`${SYS}/${rest}`, typeof body === 'string' ? body : JSON.stringify(body), { qos: 1 });

    it('answers a property report and forwards it as the platform does', async () => {
      const { client, json, messages, consumer, simulator } = await both();
      const params = { Temperature: 21.5, Count: { value: 7, time: NOW - 500 }, Site: { lat: 48.2, value: 3 } };
      const request = { id: '8815', version: '1.0', params, method: 'thing.event.property.post' };
      post(client, 'event/property/post', request);
      await until(() => consumer.received.length === 1 && messages.length === 1);
      expect(topics(consumer)).toEqual([`/${PK}/${DN}/thing/event/property/post`]);
      expect(bodies(consumer)).toEqual([
        {
          deviceType: 'CustomCategory',
          ...identity,
          requestId: '8815',
          checkFailedData: {},
          gmtCreate: NOW,
          items: {
            Temperature: { value: 21.5, time: NOW },
            Count: { value: 7, time: NOW - 500 },
            Site: { value: { lat: 48.2, value: 3 }, time: NOW },
          },
        },
      ]);
      expect(messages[0]).toMatchObject({ topic: `${SYS}/event/property/post_reply`, qos: 1 });
      expect(json()).toEqual([
        { code: 200, data: {}, id: '8815', message: 'success', method: 'thing.event.property.post', version: '1.0' },
      ]);
      const logged = simulator.messages.search({ origin: 'mqtt', topic: 'property/post', limit: 1 }).records[0];
      expect(logged).toMatchObject({ origin: { from: 'mqtt', uplink: { topic: `${SYS}/event/property/post` } } });
    });

    it('tells what failed validation, to the consumers and to the device', async () => {
      const { client, json, consumer } = await both();
      post(client, 'event/property/post', { params: { Count: 'many', Nonsense: 1, Temperature: 3 } });
      await until(() => consumer.received.length === 1 && json().length === 1);
      const [body] = bodies(consumer);
      expect(body).toMatchObject({ requestId: 'null', items: { Temperature: { value: 3, time: NOW } } });
      expect(Object.keys(body!.items as object)).toEqual(['Temperature']);
      expect(body!.checkFailedData).toMatchObject({
        Count: { code: 6306, value: 'many', time: NOW },
        Nonsense: { value: 1, time: NOW },
      });
      expect(json()[0]).toMatchObject({ code: 200, id: '', data: { Count: expect.stringContaining('not int') } });
    });

    it('checks nothing where the product does not want it', async () => {
      const { client, consumer } = await both({ validation: 'none', model: null });
      post(client, 'event/property/post', { id: 1, params: { Anything: 'goes' } });
      post(client, 'event/Unheard/post', { id: 2, params: { value: { Of: 1 }, time: NOW } });
      await until(() => consumer.received.length === 2);
      expect(bodies(consumer)[0]).toMatchObject({ items: { Anything: { value: 'goes' } }, checkFailedData: {} });
      expect(bodies(consumer)[1]).toMatchObject({ identifier: 'Unheard', type: 'info', value: { Of: 1 } });
    });

    it('loses no digit of a number', async () => {
      const { client, consumer } = await both();
      const params =
        '{"Big":1234567890123456789,"Temperature":99.0,"Site":{"lat":48.12345678901234567890,"value":1e2}}';
      post(client, 'event/property/post', `{"id":7.0,"params":${params}}`);
      post(client, 'event/Alarm/post', '{"id":"2","params":{"value":{"Level":3.0},"time":1.7e12}}');
      await until(() => consumer.received.length === 2);
      const [report = '', event = ''] = consumer.received.map((each) => bodyOf(each).toString());
      for (const text of ['1234567890123456789,', '99.0,', '48.12345678901234567890,', '1e2}', '"7.0"']) {
        expect(report).toContain(text);
      }
      expect(event).toContain('"value":{"Level":3.0}');
      expect(event).toContain(`"time":${NOW},`);
    });

    it('forwards events with the name and type of the model', async () => {
      const { client, json, consumer } = await both();
      post(client, 'event/Alarm/post', { id: '5', params: { value: { Level: 3, Other: 1 }, time: NOW - 9 } });
      await until(() => consumer.received.length === 1 && json().length === 1);
      expect(bodies(consumer)).toEqual([
        {
          identifier: 'Alarm',
          name: '过热',
          type: 'alert',
          requestId: '5',
          checkFailedData: { Other: expect.objectContaining({ value: 1, time: NOW - 9 }) },
          gmtCreate: NOW,
          ...identity,
          time: NOW - 9,
          value: { Level: 3 },
        },
      ]);
    });

    it('keeps batches and history apart from news', async () => {
      const { client, consumer, json } = await both();
      post(client, 'event/property/batch/post', {
        id: '1',
        params: {
          properties: {
            Count: [
              { value: 1, time: NOW - 2 },
              { value: 2, time: NOW - 1 },
              { value: 'x', time: NOW },
            ],
          },
          events: { Alarm: [{ value: { Level: 1 }, time: NOW }] },
        },
      });
      post(client, 'event/property/history/post', {
        id: '2',
        params: [
          {
            identity: { productKey: PK, deviceName: DN },
            properties: [{ Count: { value: 3, time: NOW - 9_000 } }],
            events: [{ Alarm: { value: { Level: 2 }, time: NOW - 8_000 } }],
          },
        ],
      });
      await until(() => consumer.received.length === 4 && json().length === 2);
      expect(topics(consumer)).toEqual([
        `/${PK}/${DN}/thing/property/batch/post`,
        `/${PK}/${DN}/thing/event/batch/post`,
        `/${PK}/${DN}/thing/event/property/history/post`,
        `/${PK}/${DN}/thing/event/Alarm/history/post`,
      ]);
      const [batch, , history] = bodies(consumer);
      expect(batch).toEqual({
        ...identity,
        requestId: '1',
        gmtCreate: NOW,
        payload: {
          Count: [
            { value: 1, time: NOW - 2 },
            { value: 2, time: NOW - 1 },
          ],
        },
      });
      expect(history).toMatchObject({ requestId: '2', items: { Count: { value: 3, time: NOW - 9_000 } } });
      expect(json()).toMatchObject([
        { code: 200, data: { Count: expect.any(String) } },
        { code: 200, data: {} },
      ]);
    });

    it.each<[string, string, unknown, number]>([
      ['no JSON', 'event/property/post', 'nonsense', 460],
      ['bytes that are no UTF-8', 'event/property/post', '\ud800', 460],
      ['a list', 'event/property/post', [1], 460],
      ['no params', 'event/property/post', { id: '1' }, 460],
      ['no property', 'event/property/post', { id: '1', params: {} }, 460],
      [
        'a time in two days',
        'event/property/post',
        { params: { Count: { value: 1, time: NOW + 2 * 86_400_000 } } },
        460,
      ],
      [
        '201 properties',
        'event/property/post',
        { params: Object.fromEntries([...Array(201).keys()].map(String).entries()) },
        6_106,
      ],
      ['an unknown event', 'event/Unheard/post', { params: { value: {} } }, 460],
      ['nested beyond reason', 'event/property/post', `{"params":{"A":${'['.repeat(100_000)}`, 460],
    ])('answers %s with a code and forwards nothing', async (_, rest, body, code) => {
      const { client, json, consumer } = await both();
      post(client, rest, body);
      post(client, 'event/property/post', { id: 'last', params: { Count: 1 } });
      await until(() => consumer.received.length === 1 && json().length === 2);
      expect(json()[0]).toMatchObject({ code, data: {} });
      expect(bodies(consumer)).toMatchObject([{ requestId: 'last' }]);
      expect(said('an uplink was not forwarded')).toHaveLength(1);
    });

    it('does not answer whoever wants no answer', async () => {
      const { client, json, consumer } = await both();
      post(client, 'event/property/post', { id: '1', sys: { ack: 0 }, params: { Count: 1 } });
      post(client, 'event/property/post', { id: '2', sys: { ack: 1 }, params: { Count: 1 } });
      await until(() => consumer.received.length === 2 && json().length > 0);
      expect(json()).toMatchObject([{ id: '2' }]);
    });

    it('knows tags, versions, progress and the time', async () => {
      const { client, json, consumer, simulator } = await both();
      post(client, 'deviceinfo/update', { id: '1', params: [{ attrKey: 'floor', attrValue: '2' }] });
      post(client, 'deviceinfo/delete', { id: '2', params: [{ attrKey: 'floor' }] });
      const inform = (version: string): void =>
        void client.publish(`/ota/device/inform/${PK}/${DN}`, JSON.stringify({ id: '3', params: { version } }), {
          qos: 1,
        });
      inform('2.0.0');
      inform('2.0.0');
      client.publish(`/ota/device/progress/${PK}/${DN}`, '{"id":"4","params":{"step":"50","desc":"half"}}', { qos: 1 });
      client.publish(`/ext/ntp/${PK}/${DN}/request`, '{"deviceSendTime":"17"}', { qos: 0 });
      await until(() => consumer.received.length === 3 && json().length === 3);
      expect(topics(consumer)).toEqual([
        `/${PK}/${DN}/thing/deviceinfo/update`,
        `/${PK}/${DN}/ota/version/post`,
        `/${PK}/${DN}/ota/progress/post`,
      ]);
      const [tags, version, progress] = bodies(consumer);
      expect(tags).toEqual({ ...identity, value: [{ attrKey: 'floor', attrValue: '2' }], messageCreateTime: NOW });
      expect(version).toEqual({ ...identity, moduleName: 'default', moduleVersion: '2.0.0', messageCreateTime: NOW });
      expect(progress).toMatchObject({ step: '50', desc: 'half', srcVersion: '2.0.0' });
      expect(json()[2]).toEqual({ deviceSendTime: '17', serverRecvTime: String(NOW), serverSendTime: String(NOW) });
      expect(simulator.registry.device(PK, DN)!.tags).toEqual({});
    });

    it('takes from a gateway what its sub-devices report, and nothing of others', async () => {
      const { client, json, consumer, simulator } = await both();
      const [gateway, sub] = [simulator.registry.device(PK, DN)!, simulator.registry.device(PK, 'esp32-002')!];
      const pack = (id: string): void =>
        post(client, 'event/property/pack/post', {
          id,
          params: {
            properties: { Count: { value: 1, time: NOW } },
            subDevices: [
              {
                identity: { productKey: PK, deviceName: 'esp32-002' },
                properties: { Count: { value: 2, time: NOW } },
                events: { Alarm: { value: { Level: 3 }, time: NOW } },
              },
            ],
          },
        });
      pack('1');
      await until(() => json().length === 1);
      expect(json()[0]).toMatchObject({ code: 460 });
      sub.gateway = gateway;
      pack('2');
      await until(() => consumer.received.length === 4 && json().length === 2);
      expect(json()[1]).toMatchObject({ code: 200 });
      expect(topics(consumer)).toEqual([
        `/${PK}/${DN}/thing/event/property/post`,
        `/${PK}/${DN}/thing/event/property/post`,
        `/${PK}/esp32-002/thing/event/property/post`,
        `/${PK}/esp32-002/thing/event/Alarm/post`,
      ]);
    });

    it('forwards custom topics byte for byte, with or without a folder', async () => {
      const { client, consumer, messages } = await both();
      const bytes = Buffer.from([0, 0xff, 0x7b, 0x80]);
      client.publish(`/${PK}/${DN}/user/a/b`, bytes, { qos: 1, retain: true });
      client.publish(`/${PK}/${DN}/update`, bytes, { qos: 0 });
      await until(() => consumer.received.length === 2);
      expect(topics(consumer)).toEqual([`/${PK}/${DN}/user/a/b`, `/${PK}/${DN}/update`]);
      expect(consumer.received.map(bodyOf)).toEqual([bytes, bytes]);
      // It is the platform's now, and comes back to no subscriber, retained or not.
      await client.subscribeAsync(`/${PK}/${DN}/user/a/+`);
      expect(messages).toEqual([]);
    });

    it('runs the message script where the topic asks for it', async () => {
      const { client, consumer } = await both({ messageScript: MESSAGE_SCRIPT });
      client.publish(`/${PK}/${DN}/user/raw?_sn=default`, Buffer.from([40, 2]), { qos: 1 });
      client.publish(`/${PK}/${DN}/user/raw`, Buffer.from([40, 2]), { qos: 1 });
      await until(() => consumer.received.length === 2);
      expect(topics(consumer)).toEqual([`/${PK}/${DN}/user/raw`, `/${PK}/${DN}/user/raw`]);
      expect(bodies({ received: [consumer.received[0]!] } as RawClient)).toEqual([
        { topic: `/${PK}/${DN}/user/raw`, sum: 42 },
      ]);
      expect(bodyOf(consumer.received[1]!)).toEqual(Buffer.from([40, 2]));
    });

    it('turns raw reports into properties, and answers in bytes', async () => {
      const { client, consumer, messages } = await both({ rawScript: RAW_SCRIPT });
      client.publish(`${SYS}/model/up_raw`, Buffer.from([0xff]), { qos: 1 });
      client.publish(`${SYS}/model/up_raw`, Buffer.from([4]), { qos: 1 });
      client.publish(`${SYS}/model/up_raw`, Buffer.from([9, 77]), { qos: 1 });
      await until(() => consumer.received.length === 1 && messages.length === 1);
      expect(topics(consumer)).toEqual([`/${PK}/${DN}/thing/event/property/post`]);
      expect(bodies(consumer)[0]).toMatchObject({ requestId: '9', items: { Count: { value: 77 } } });
      expect(messages[0]).toMatchObject({ topic: `${SYS}/model/up_raw_reply`, payload: Buffer.from([0xa0, 20]) });
      const reasons = said('an uplink was not forwarded').map(({ reason }) => reason);
      expect(reasons).toEqual([expect.stringContaining('cannot read this'), expect.stringContaining('6450')]);
    });

    it.each<[string, string, number, 0 | 1 | 2, string]>([
      ['on a topic of another device', `/sys/${PK}/esp32-002/thing/event/property/post`, 2, 1, 'may not publish'],
      ['on a topic of the platform', `/${PK}/${DN}/thing/event/property/post`, 2, 1, 'may not publish'],
      ['with QoS 2', `/${PK}/${DN}/user/a`, 2, 2, 'QoS 2'],
      ['more than 256 KB', `/${PK}/${DN}/user/a`, 262_145, 1, 'a message of 262145 bytes'],
      ['much more than 256 KB', `/${PK}/${DN}/user/a`, 2_000_000, 0, 'a packet of 20000'],
    ])('closes the connection of a device that publishes %s', async (_, topic, bytes, qos, reason) => {
      const { client, consumer } = await both();
      client.publish(topic, Buffer.alloc(bytes), { qos });
      await until(() => consumer.received.length === 1);
      expect(bodies(consumer)[0]).toMatchObject({ status: 'offline' });
      expect(said('closed an MQTT connection')).toMatchObject([{ reason: expect.stringContaining(reason) as unknown }]);
    });

    it('takes 256 KB', async () => {
      const { client, consumer } = await both();
      const bytes = Buffer.alloc(262_144, 7);
      client.publish(`/${PK}/${DN}/user/a`, bytes, { qos: 1 });
      await until(() => consumer.received.length === 1);
      expect(bodyOf(consumer.received[0]!).equals(bytes)).toBe(true);
    });

    it('refuses subscriptions to what is not the device’s own', async () => {
      const { client } = await both();
      for (const filter of ['#', `/sys/${PK}/+/thing/#`, `/sys/${PK}/esp32-002/#`]) {
        await expect(client.subscribeAsync(filter)).rejects.toThrow();
      }
      expect(said('refused a subscription')).toHaveLength(3);
    });

    it('says no more of a Living product than that platform forwards', async () => {
      const { client, consumer, json } = await both({ voice: 'living' });
      post(client, 'event/property/post', { id: '1', params: { Count: 1, Nonsense: 2 } });
      post(client, 'event/Alarm/post', { id: '2', params: { value: { Level: 1 } } });
      post(client, 'deviceinfo/update', { id: '3', params: [{ attrKey: 'floor', attrValue: '2' }] });
      client.publish(`/${PK}/${DN}/user/a`, 'x', { qos: 1 });
      post(client, 'event/property/post', { id: '4', params: { Count: 1 } });
      await until(() => consumer.received.length === 3 && json().length === 4);
      expect(Object.keys(bodies(consumer)[0]!).sort()).toEqual(
        ['deviceType', 'iotId', 'productKey', 'deviceName', 'gmtCreate', 'items'].sort(),
      );
      expect(bodies(consumer)[1]).not.toHaveProperty('gmtCreate');
    });
  });

  describe('downlinks', () => {
    it('sets properties, and tells what the device answered', async () => {
      const simulator = await start();
      const consumer = consume(simulator);
      const { client, messages, json } = await join(simulator, login(), [`${SYS}/service/#`]);
      const requestId = simulator.downlinks.send(simulator.registry.device(PK, DN)!, 'property/set', { Count: 5 });
      await until(() => messages.length === 1);
      expect(messages[0]).toMatchObject({ topic: `${SYS}/service/property/set`, qos: 1 });
      expect(json()).toEqual([
        { id: requestId, version: '1.0', params: { Count: 5 }, method: 'thing.service.property.set' },
      ]);
      const reply = { id: requestId, code: 200, data: { done: true } };
      const answer = (body: object): void =>
        void client.publish(`${SYS}/service/property/set_reply`, JSON.stringify(body), { qos: 1 });
      answer({ ...reply, id: '1' });
      answer(reply);
      answer(reply);
      await until(() => said('an uplink was not forwarded').length === 2 && consumer.received.length === 2);
      expect(bodies(consumer)[1]).toEqual({
        gmtCreate: NOW,
        ...identity,
        requestId: Number(requestId),
        code: 200,
        message: 'success',
        topic: `${SYS}/service/property/set`,
        data: { done: true },
      });
    });

    it('calls services', async () => {
      const simulator = await start();
      const consumer = consume(simulator);
      const { client, messages } = await join(simulator, login(), [`${SYS}/service/Reboot`]);
      const id = simulator.downlinks.send(simulator.registry.device(PK, DN)!, 'Reboot', {});
      await until(() => messages.length === 1);
      client.publish(`${SYS}/service/Reboot_reply`, JSON.stringify({ id, code: 460, message: 'not now', data: {} }));
      await until(() => consumer.received.length === 2);
      expect(bodies(consumer)[1]).toMatchObject({ code: 460, message: 'not now', topic: `${SYS}/service/Reboot` });
    });

    it('sends bytes to a product with a script, and reads its answer', async () => {
      const simulator = await start({}, { rawScript: RAW_SCRIPT });
      const consumer = consume(simulator);
      const { client, messages } = await join(simulator, login(), [`${SYS}/model/down_raw`]);
      const id = Number(simulator.downlinks.send(simulator.registry.device(PK, DN)!, 'property/set', { Count: 5 }));
      await until(() => messages.length === 1);
      expect(messages[0]!.payload).toEqual(Buffer.from([0xb0, id % 256, 5]));
      client.publish(`${SYS}/model/down_raw_reply`, Buffer.from([3, id - 700_000_000, 20]), { qos: 1 });
      await until(() => consumer.received.length === 2);
      expect(bodies(consumer)[1]).toMatchObject({ requestId: id, code: 200, message: 'success', data: {} });
    });

    it('answers in the place of a device that is away', async () => {
      const simulator = await start();
      const consumer = consume(simulator);
      const device = simulator.registry.device(PK, DN)!;
      simulator.downlinks.send(device, 'property/set', {});
      const { client } = await join(simulator);
      client.end();
      await until(() => !device.online);
      simulator.downlinks.send(device, 'property/set', {});
      await until(() => consumer.received.length === 4);
      expect(bodies(consumer).map(({ code }) => code)).toEqual([9_200, undefined, undefined, 9_201]);
    });

    it('does not reach a device that has not subscribed', async () => {
      const simulator = await start();
      const { messages } = await join(simulator, login(), [`/${PK}/${DN}/user/#`]);
      simulator.downlinks.send(simulator.registry.device(PK, DN)!, 'property/set', {});
      expect(said('a command was not sent')).toHaveLength(1);
      expect(messages).toEqual([]);
    });
  });
});
