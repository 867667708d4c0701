import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mqtt from 'mqtt';
import type { ConnectionOptions } from 'rhea';
import { builtSimulator } from './built-simulator.js';
import { bodyOf, enterpriseLogin, livingLogin, RawClient, until } from './raw-client.js';

interface Run {
  readonly child: ChildProcess;
  /** stdout and stderr. */
  readonly said: () => string;
  readonly exited: Promise<number | null>;
}

interface Ready {
  readonly pid: number;
  readonly plainPort: number;
  readonly tlsPort: number;
  readonly caFile: string;
  readonly mqttPort: number;
  readonly mqttTlsPort: number | null;
  readonly controlPort: number;
  readonly appKey: string;
}

describe('the simulator as a process', () => {
  let directory: string;
  let main: string;
  const running: Run[] = [];

  beforeAll(async () => {
    ({ directory, main } = await builtSimulator());
  });
  afterEach(async () => {
    for (const { child } of running) child.kill('SIGKILL');
    await Promise.all(running.map(({ exited }) => exited));
    running.length = 0;
    await rm(join(directory, 'ready.json'), { force: true });
  });
  afterAll(() => rm(directory, { recursive: true }));

  const run = (env: Record<string, string>): Run => {
    const settings = {
      SIMULATOR_PORT: '0',
      SIMULATOR_TLS_PORT: '0',
      SIMULATOR_MQTT_PORT: '0',
      SIMULATOR_MQTT_TLS_PORT: '0',
      SIMULATOR_CONTROL_PORT: '0',
      SIMULATOR_READY_FILE: join(directory, 'ready.json'),
    };
    const { PATH = '' } = process.env;
    const child = spawn(process.execPath, [main], { cwd: directory, env: { PATH, ...settings, ...env } });
    let said = '';
    child.stdout.on('data', (data: Buffer) => (said += data.toString()));
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const started = { child, said: () => said, exited };
    running.push(started);
    return started;
  };
  const ready = async (): Promise<Ready> => {
    const file = join(directory, 'ready.json');
    await until(() => existsSync(file));
    return JSON.parse(readFileSync(file, 'utf8')) as Ready;
  };

  it('says where it listens, feeds a consumer at once, and ends cleanly when asked', async () => {
    const { child, said, exited } = run({});
    const { plainPort, pid, appKey, caFile, controlPort } = await ready();
    expect({ pid, appKey }).toEqual({ pid: child.pid, appKey: '90001234' });
    expect(await (await fetch(`http://127.0.0.1:${controlPort}/`)).text()).toContain(
      '<title>Platform simulator</title>',
    );
    expect(statSync(join(directory, 'ready.json')).mode & 0o777).toBe(0o600);
    expect(readFileSync(caFile, 'utf8')).toContain('BEGIN CERTIFICATE');
    const consumer = new RawClient({ host: '127.0.0.1', plainPort }, livingLogin());
    consumer.onMessage = ({ delivery }) => delivery.accept();
    consumer.receive(30);
    await until(() => consumer.received.length === 30);
    expect(said()).toContain(`http://127.0.0.1:${controlPort}/`);
    expect(said()).toContain('so that one consumer sees every kind');
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(existsSync(join(directory, 'ready.json'))).toBe(false);
    await until(() => consumer.has('connection_error amqp:connection:forced'));
  });

  it('lets the devices in over MQTT that the documentation names', async () => {
    const { said } = run({ SIMULATOR_MQTT_TLS_PORT: 'off' });
    const { mqttPort, mqttTlsPort } = await ready();
    expect(mqttTlsPort).toBeNull();
    const signed = 'clientIddeskdeviceNameesp32-001productKeyh9DemoMqtt7';
    const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${mqttPort}`, {
      clientId: 'desk|securemode=3,signmethod=hmacsha256|',
      username: 'esp32-001&h9DemoMqtt7',
      password: createHmac('sha256', 'demoDeviceSecret-esp32-001').update(signed).digest('hex'),
      reconnectPeriod: 0,
    });
    await until(() => said().includes('a device has connected'));
    await client.endAsync();
  });

  it('takes its credentials from the settings', async () => {
    run({ SIMULATOR_APP_KEY: '5', SIMULATOR_APP_SECRET: 'demoAppSecret-7f3a' });
    const { plainPort } = await ready();
    const { username, password } = livingLogin();
    const login = { username: username.replaceAll('90001234', '5'), password } as Partial<ConnectionOptions>;
    const consumer = new RawClient({ host: '127.0.0.1', plainPort }, login).receive(1);
    await until(() => consumer.received.length === 1);
    consumer.connection.close();
  });

  it('plays the world of a file: tenants see their own products only', async () => {
    const { said } = run({ SIMULATOR_WORLD: 'builtin:two-tenants', SIMULATOR_CONTROL_PORT: 'off' });
    const { plainPort } = await ready();
    const topicsOf = async (login: { username: string; password: string }): Promise<string[]> => {
      const consumer = new RawClient({ host: '127.0.0.1', plainPort }, login).receive(10);
      await until(() => consumer.received.length === 10);
      consumer.connection.close();
      return consumer.received.map(({ message }) => String(message.application_properties?.topic));
    };
    for (const topic of await topicsOf(livingLogin())) expect(topic).toMatch(/\/a1Demo(Lock1|Air02)\//);
    for (const topic of await topicsOf(enterpriseLogin())) expect(topic).toMatch(/\/h9Demo(Mete4|Mqtt7)\//);
    expect(said()).not.toContain('so that one consumer sees every kind');
  });

  it('runs the scripts of rules, in a thread of their own', async () => {
    run({ SIMULATOR_WORLD: 'builtin:rules', SIMULATOR_CONTROL_PORT: 'off' });
    const { plainPort } = await ready();
    const consumer = new RawClient({ host: '127.0.0.1', plainPort }, enterpriseLogin('warmRooms000300'));
    consumer.onMessage = ({ delivery }) => delivery.accept();
    consumer.receive(10_000);
    // The SQL rule forwards "celsius"; only the script makes "values" of properties.
    await until(() => consumer.received.some((received) => bodyOf(received).toString().includes('"values":')));
  });

  it('names a wrong line of a world in one line and exits with 1', async () => {
    const world = join(directory, 'world.yaml');
    writeFileSync(world, 'tenants:\n  living:\n    - appKey: 12\n');
    const { said, exited } = run({ SIMULATOR_WORLD: world });
    expect(await exited).toBe(1);
    expect(said()).toBe(
      `simulator cannot start: ${world}:3: tenants.living.0.appKey: appKey must be text; put it in quotes\n`,
    );
  });

  it('ends when the process that it was started for is gone', async () => {
    const parent = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)']);
    const { exited } = run({ SIMULATOR_PARENT_PID: String(parent.pid) });
    await ready();
    parent.kill('SIGKILL');
    expect(await exited).toBe(0);
  });

  it('names a taken port in one line and exits with 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { said, exited } = run({ SIMULATOR_TLS_PORT: String(port) });
    expect(await exited).toBe(1);
    expect(said()).toMatch(
      new RegExp(`^simulator cannot start: Port ${port} on 127.0.0.1 is taken.*SIMULATOR_TLS_PORT.*\\n$`),
    );
    server.close();
  });

  it('loses nothing of its queues on disk when it is killed, and goes on with larger ids', async () => {
    // Virtual devices fill the queues; the Enterprise group is read by nobody while the first simulator lives.
    const settings = {
      ...{ SIMULATOR_QUEUES: 'disk', SIMULATOR_DATA_DIR: join(directory, 'kept'), SIMULATOR_LIMITS: 'off' },
      ...{ SIMULATOR_RATE: '200', SIMULATOR_CONTROL_PORT: 'off' },
    };
    const first = run(settings);
    const reader = new RawClient({ host: '127.0.0.1', plainPort: (await ready()).plainPort }, livingLogin());
    const accepted = new Set<string>();
    reader.onMessage = ({ id, delivery }) => {
      if (reader.received.length % 2 === 1) return; // every other one stays on its way
      accepted.add(id);
      delivery.accept();
    };
    reader.receive(100);
    await until(() => reader.received.length === 100);
    // What was accepted is written a moment later; until then it would come again, as is allowed.
    reader.receiver?.add_credit(1);
    await until(() => reader.received.length === 101);
    first.child.kill('SIGKILL');
    await first.exited;
    await rm(join(directory, 'ready.json'), { force: true });

    run({ ...settings, SIMULATOR_RATE: '0' });
    const { plainPort } = await ready();
    const again = new RawClient({ host: '127.0.0.1', plainPort }, livingLogin('again'));
    again.onMessage = ({ delivery }) => delivery.accept();
    again.receive(5_000);
    const open = reader.ids.filter((id) => !accepted.has(id));
    await until(() => open.every((id) => again.ids.includes(id)));
    const byId = new Map(again.received.map((received) => [received.id, bodyOf(received).toString()]));
    for (const received of reader.received) {
      if (byId.has(received.id)) expect(byId.get(received.id)).toBe(bodyOf(received).toString());
    }
    // The first messages of the second run come after all of the first.
    const largest = reader.ids.reduce((a, b) => (BigInt(a) > BigInt(b) ? a : b));
    await until(() => again.ids.some((id) => BigInt(id) > BigInt(largest)));
    expect(new Set(again.ids).size).toBe(again.ids.length);
  });

  it('refuses queues that another simulator has open, in one line', async () => {
    const settings = { SIMULATOR_QUEUES: 'disk', SIMULATOR_DATA_DIR: join(directory, 'shared') };
    run(settings);
    await ready();
    const { said, exited } = run({ ...settings, SIMULATOR_READY_FILE: join(directory, 'other.json') });
    expect(await exited).toBe(1);
    expect(said()).toMatch(/^simulator cannot start: The queues in .*shared.* are in use by another simulator\..*\n$/);
  });

  it.each(['SIMULATOR_DATA_DIR', 'SIMULATOR_READY_FILE'])(
    'says in one line that %s cannot be written',
    async (name) => {
      const file = join(directory, 'a-file');
      writeFileSync(file, '');
      const { said, exited } = run({ [name]: join(file, 'below', 'it') });
      expect(await exited).toBe(1);
      expect(said()).toMatch(
        new RegExp(`^simulator cannot start: .*a-file/below/it cannot be written .*${name}.*\\n$`),
      );
    },
  );

  it('names every bad setting in one line and exits with 1', async () => {
    const { said, exited } = run({ SIMULATOR_RATE: 'fast', SIMULATOR_FAULTS: 'plague' });
    expect(await exited).toBe(1);
    expect(said()).toMatch(/^simulator cannot start: .*SIMULATOR_FAULTS.*SIMULATOR_RATE.*\n$/);
  });
});
