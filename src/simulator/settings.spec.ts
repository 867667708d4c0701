import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { accountsOf, BadSettings, readSettings } from './settings.js';

describe('the settings of the simulator', () => {
  it('have a default for everything: a small lively fleet on loopback', () => {
    expect(readSettings({ SIMULATOR_RATE: '' })).toMatchObject({
      host: '127.0.0.1',
      port: 5_672,
      tlsPort: 5_671,
      devices: 12,
      rate: 5,
      flavour: 'both',
      faults: [],
      limits: true,
      readyFile: null,
      freshnessWindowMs: null,
    });
  });

  it('are read from SIMULATOR_*', () => {
    const settings = readSettings({
      SIMULATOR_PORT: '0',
      SIMULATOR_TLS_PORT: '0',
      SIMULATOR_RATE: '0.5',
      SIMULATOR_FAULTS: ' poison,shuffle ,poison',
      SIMULATOR_LIMITS: 'off',
      SIMULATOR_APP_KEY: '77',
      SIMULATOR_APP_SECRET: 'any, thing | goes',
      SIMULATOR_FRESHNESS_MINUTES: '15',
      SIMULATOR_READY_FILE: '/run/ready.json',
    });
    expect(settings).toMatchObject({ port: 0, tlsPort: 0, rate: 0.5, faults: ['poison', 'shuffle'], limits: false });
    expect(settings).toMatchObject({ freshnessWindowMs: 900_000, readyFile: '/run/ready.json' });
    expect(accountsOf(settings).apps).toEqual([{ appKey: '77', appSecret: 'any, thing | goes' }]);
  });

  it('name a world and a scenario that come with the simulator, or say which there are', () => {
    expect(readSettings({ SIMULATOR_SCENARIO: 'builtin:storm' }).scenario).toBe('builtin:storm');
    expect(() => readSettings({ SIMULATOR_WORLD: 'builtin:two-tennants', SIMULATOR_SCENARIO: 'builtin:x' })).toThrow(
      /SIMULATOR_WORLD: no world is called "two-tennants"; did you mean "two-tenants"\?; SIMULATOR_SCENARIO: no scenario is called "x"; there are backlog, /,
    );
  });

  it('stand in .env.example and in the documentation, with their defaults', () => {
    const example = [...readFileSync('.env.example', 'utf8').matchAll(/^#(SIMULATOR_\w+)=(.*)$/gm)];
    expect(
      readSettings(
        Object.fromEntries(example.map(([, name = '', value]): [string, string | undefined] => [name, value])),
      ),
    ).toEqual(readSettings({}));
    const rows = readFileSync('docs/simulator.md', 'utf8').match(/^\| `SIMULATOR_.*$/gm) ?? [];
    const documented = rows.flatMap((row) => /^\|([^|]*)/.exec(row)?.[1]?.match(/SIMULATOR_\w+/g) ?? []);
    expect(documented.sort()).toEqual(example.map(([, name]) => name).sort());
    const read = readFileSync('src/simulator/settings.ts', 'utf8').match(/'SIMULATOR_\w+'/g) ?? [];
    expect([...new Set(read)].map((name) => name.slice(1, -1)).sort()).toEqual(documented);
  });

  it('tell of a misspelt name, and of no other variable', () => {
    const env = {
      SIMULATOR_DEVISES: '4',
      SIMULATOR_SERVICE_HOST: '10.0.0.1',
      SIMULATOR_MQTT_PORT: 'off',
      PATH: '/bin',
    };
    expect(readSettings(env).unknown).toEqual([
      'SIMULATOR_DEVISES is no setting; did you mean SIMULATOR_DEVICES?',
      'SIMULATOR_SERVICE_HOST is no setting',
    ]);
  });

  it('of who may connect are the platform’s own, changed one by one or switched off together', () => {
    const platform = {
      connectionLimits: { connections: 128, clientsOfGroup: 64, connectsPerMinute: 100 },
      groupLimits: { groupsOfProduct: 10, groupsOfAccount: 1_000 },
      setupTimeoutMs: 15_000,
      minIdleTimeoutMs: 30_000,
      maxIdleTimeoutMs: 300_000,
      freshRandom: false,
      world: null,
    };
    expect(readSettings({})).toMatchObject(platform);
    const changed = readSettings({ SIMULATOR_MAX_GROUP_CLIENTS: '2', SIMULATOR_CONNECTS_PER_MINUTE: '500' });
    expect(changed.connectionLimits).toEqual({ connections: 128, clientsOfGroup: 2, connectsPerMinute: 500 });
    expect(readSettings({ SIMULATOR_LIMITS: 'off', SIMULATOR_MAX_CONNECTIONS: '3' })).toMatchObject({
      ...platform,
      connectionLimits: { connections: null, clientsOfGroup: null, connectsPerMinute: null },
      groupLimits: { groupsOfProduct: null, groupsOfAccount: null },
    });
    expect(() => readSettings({ SIMULATOR_MIN_IDLE_TIMEOUT_MS: '100', SIMULATOR_MAX_IDLE_TIMEOUT_MS: '99' })).toThrow(
      /SIMULATOR_MIN_IDLE_TIMEOUT_MS must not be above/,
    );
  });

  it('name a world, whose tenants take the place of theirs and whose signatures they judge', () => {
    const settings = readSettings({
      SIMULATOR_WORLD: 'builtin:two-tenants',
      SIMULATOR_FRESHNESS_MINUTES: '15',
      SIMULATOR_FRESH_RANDOM: 'on',
    });
    expect(settings.world).toMatch(/simulator\/worlds\/two-tenants\.yaml$/);
    const ofWorld = { apps: [{ appKey: 'w', appSecret: 's' }], instances: [], freshnessWindowMs: null };
    expect(accountsOf(settings, ofWorld)).toEqual({ ...ofWorld, freshnessWindowMs: 900_000, freshRandom: true });
    expect(accountsOf(settings, null)).toMatchObject({ apps: [{ appKey: '90001234' }], freshRandom: true });
  });

  it('of the MQTT door may close it, and keep its ports apart', () => {
    const mqtt = { port: 1_883, tlsPort: 8_883, minKeepAliveSeconds: 30, scanMs: 30_000 };
    expect(readSettings({}).mqtt).toEqual(mqtt);
    const closed = readSettings({ SIMULATOR_MQTT_PORT: 'off', SIMULATOR_MQTT_TLS_PORT: 'off' }).mqtt;
    expect(closed).toEqual({ ...mqtt, port: null, tlsPort: null });
    expect(() => readSettings({ SIMULATOR_MQTT_PORT: '8883' })).toThrow(
      /SIMULATOR_MQTT_PORT and SIMULATOR_MQTT_TLS_PORT/,
    );
  });

  it.each([
    ['SIMULATOR_MQTT_PORT', 'none'],
    ['SIMULATOR_MQTT_MIN_KEEP_ALIVE', '0'],
    ['SIMULATOR_PORT', '70000'],
    ['SIMULATOR_PORT', '-1'],
    ['SIMULATOR_PORT', '5671'],
    ['SIMULATOR_TLS_PORT', '1.5'],
    ['SIMULATOR_DEVICES', '0'],
    ['SIMULATOR_DEVICES', 'many'],
    ['SIMULATOR_RATE', '1e9'],
    ['SIMULATOR_FLAVOUR', 'vanilla'],
    ['SIMULATOR_LIMITS', 'maybe'],
    ['SIMULATOR_CONTROL_PORT', 'on'],
    ['SIMULATOR_LOG_MESSAGES', '-1'],
    ['SIMULATOR_FAULTS', 'poison,plague'],
    ['SIMULATOR_FAULTS', 'drop'],
    ['SIMULATOR_APP_KEY', 'a|b'],
    ['SIMULATOR_ACK_TIMEOUT_MS', '0'],
    ['SIMULATOR_BACKLOG_RATE', '0'],
    ['SIMULATOR_RETENTION_HOURS', '0'],
    ['SIMULATOR_QUEUES', 'tape'],
    ['SIMULATOR_TIME_SCALE', '0.5'],
    ['SIMULATOR_TIME_SCALE', '10001'],
    ['SIMULATOR_START_AT', '2026-01-31'],
    ['SIMULATOR_START_AT', '2026-13-31T00:00:00Z'],
    ['SIMULATOR_MAX_CONNECTIONS', '0'],
    ['SIMULATOR_SETUP_TIMEOUT_MS', 'never'],
    ['SIMULATOR_FRESH_RANDOM', 'maybe'],
  ])('refuse %s=%s by name', (name, value) => {
    expect(() => readSettings({ [name]: value })).toThrow(new RegExp(name));
  });

  it('deliver by the rules of the platform unless told otherwise', () => {
    const settings = readSettings({
      ...{ SIMULATOR_BACKLOG_RATE: '50', SIMULATOR_RETRY_MINUTES: '0.5', SIMULATOR_RETENTION_HOURS: '2' },
      ...{ SIMULATOR_QUEUES: 'disk', SIMULATOR_TIME_SCALE: '1440', SIMULATOR_START_AT: '2026-01-31T08:00:00+02:00' },
    });
    expect(settings).toMatchObject({
      delivery: {
        ...{ realtimePerSecond: 1_000, backlogPerSecond: 50, retryAfterMs: 30_000, roundMs: 300_000, perRound: 10 },
        ...{ retentionMs: 7_200_000, settlingMs: 600_000 },
      },
      ...{ queues: 'disk', timeScale: 1_440, startAt: Date.UTC(2026, 0, 31, 6) },
    });
    const unlimited = { realtimePerSecond: null, backlogPerSecond: null, perRound: null, retryAfterMs: 60_000 };
    expect(readSettings({ SIMULATOR_LIMITS: 'off' }).delivery).toMatchObject(unlimited);
  });

  it('open the control API on loopback, elsewhere with a token only', () => {
    expect(readSettings({}).control).toEqual({ host: '127.0.0.1', port: 5_680, token: null });
    expect(readSettings({ SIMULATOR_CONTROL_PORT: 'off', SIMULATOR_CONTROL_HOST: '0.0.0.0' }).control.port).toBeNull();
    for (const host of ['0.0.0.0', '::', '192.168.0.1', '127.0.0.1.example', 'example']) {
      const elsewhere = { SIMULATOR_CONTROL_HOST: host };
      expect(() => readSettings(elsewhere)).toThrow(/^SIMULATOR_CONTROL_TOKEN must be set/);
      expect(readSettings({ ...elsewhere, SIMULATOR_CONTROL_TOKEN: 't' }).control.token).toBe('t');
    }
    for (const host of ['localhost', '::1', '127.0.0.2']) readSettings({ SIMULATOR_CONTROL_HOST: host });
  });

  it('name every bad one at once, and no secret', () => {
    const bad = { SIMULATOR_RATE: 'fast', SIMULATOR_FLAVOUR: 'x', SIMULATOR_ACCESS_KEY_SECRET: 's3cret'.repeat(1_000) };
    expect(() => readSettings(bad)).toThrow(BadSettings);
    expect(() => readSettings(bad)).toThrow(/SIMULATOR_ACCESS_KEY_SECRET.*SIMULATOR_RATE.*SIMULATOR_FLAVOUR/);
    expect(() => readSettings(bad)).not.toThrow(/s3cret/);
  });
});
