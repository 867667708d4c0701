import { isAbsolute, resolve } from 'node:path';
import { CONNECTION_LIMITS, NO_CONNECTION_LIMITS, type ConnectionLimits } from './platform/admission.js';
import { PLATFORM_RULES, withoutLimits, type DeliveryRules } from './platform/delivery-rules.js';
import { GROUP_LIMITS, NO_GROUP_LIMITS, type Accounts, type GroupLimits } from './platform/tenants.js';
import { bundledNames } from './bundled.js';
import { nearestName, unknownName } from './faults/nearest-name.js';
import { worldFile } from './world.js';
import { DEMO_ENTERPRISE, DEMO_LIVING, DEMO_STS } from './demo-accounts.js';
import { isLoopback } from './control/loopback.js';
import { faultKind } from './faults/catalogue.js';

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly dataDir: string;
  /** Where to write what others need to connect, once listening. */
  readonly readyFile: string | null;
  readonly living: { readonly appKey: string; readonly appSecret: string };
  readonly enterprise: {
    readonly instanceId: string;
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly consumerGroupId: string;
  };
  readonly sts: { readonly accessKeyId: string; readonly accessKeySecret: string; readonly securityToken: string };
  /** Refuse Enterprise timestamps further off than this; null never does. */
  readonly freshnessWindowMs: number | null;
  /** The same for the `random` of Living clients. */
  readonly freshRandom: boolean;
  /** World file, which describes tenants and more; null takes the demo world. */
  readonly world: string | null;
  readonly setupTimeoutMs: number;
  readonly minIdleTimeoutMs: number;
  readonly maxIdleTimeoutMs: number;
  /** How many clients may connect, and how many groups there may be; all null with limits off. */
  readonly connectionLimits: ConnectionLimits;
  readonly groupLimits: GroupLimits;
  readonly devices: number;
  /** Messages/s of the whole fleet. */
  readonly rate: number;
  readonly seed: string;
  readonly flavour: 'living' | 'enterprise' | 'both';
  /** Names of faults that run from the start. */
  readonly faults: readonly string[];
  /** Scenario file, or `builtin:<name>`. */
  readonly scenario: string | null;
  readonly limits: boolean;
  readonly ackTimeoutMs: number;
  /** Without the limits on rates where `limits` is off. */
  readonly delivery: DeliveryRules;
  /** Where queues are kept. */
  readonly queues: 'memory' | 'disk';
  /** How much faster than the world's the simulated time runs. */
  readonly timeScale: number;
  /** Where the simulated time starts, milliseconds since 1970; null is now. */
  readonly startAt: number | null;
  /** Messages that the message log remembers, and bytes of their bodies. */
  readonly logged: number;
  readonly loggedBytes: number;
  readonly control: {
    readonly host: string;
    /** Null opens none. */
    readonly port: number | null;
    /** Null asks for none. */
    readonly token: string | null;
  };
  /** The door of devices. */
  readonly mqtt: {
    /** Null opens none. */
    readonly port: number | null;
    readonly tlsPort: number | null;
    readonly minKeepAliveSeconds: number;
    readonly scanMs: number;
  };
  /** Stop when this process is gone. */
  readonly parentPid: number | null;
  /** Of each variable that is named like a setting and is none, a word to people. */
  readonly unknown: readonly string[];
}

/** Some settings are wrong. The message names every one of them. */
export class BadSettings extends Error {
  override readonly name = 'BadSettings';
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const PREFIX = 'SIMULATOR_';
const MINUTE_MS = 60_000;
const MIB = 1_024 * 1_024;

/** Reads SIMULATOR_* from an environment. An empty value counts as not set. Throws `BadSettings`. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  const asked = new Set<string>();
  const given = (name: string): string | undefined => {
    asked.add(name);
    return env[name] === '' ? undefined : env[name];
  };
  const text = (
    name: string,
    fallback: string,
    rule = /^[^|,\s]{1,256}$/,
    expected = 'text without |, commas and spaces',
  ): string => {
    const value = given(name) ?? fallback;
    if (value !== fallback && !rule.test(value)) problems.push(`${name} must be ${expected}`);
    return value;
  };
  const number = (name: string, fallback: number, min: number, max: number, whole = true): number => {
    const word = given(name);
    if (word === undefined) return fallback;
    const value = /^\d+(\.\d+)?$/.test(word) ? Number(word) : Number.NaN;
    if (value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    problems.push(
      `${name} must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}, not ${JSON.stringify(word)}`,
    );
    return fallback;
  };
  const choice = <T extends string>(name: string, fallback: T, allowed: readonly T[]): T => {
    const word = given(name);
    if (word === undefined) return fallback;
    const found = allowed.find((value) => value === word);
    if (found === undefined) problems.push(`${name} must be one of ${allowed.join(', ')}, not ${JSON.stringify(word)}`);
    return found ?? fallback;
  };
  const instant = (name: string): number | null => {
    const word = given(name);
    if (word === undefined) return null;
    const value = RFC_3339.test(word) ? Date.parse(word) : Number.NaN;
    if (!Number.isNaN(value)) return value;
    problems.push(`${name} must be a time like 2026-01-31T08:00:00Z, not ${JSON.stringify(word)}`);
    return null;
  };
  const path = (value: string): string => (isAbsolute(value) ? value : resolve(value));
  const portOrOff = (name: string, fallback: number): number | null =>
    given(name) === 'off' ? null : number(name, fallback, 0, 65_535);
  const fileOrBuiltin = (name: string, folder: 'worlds' | 'scenarios'): string | null => {
    const file = text(name, '', anything, 'a path');
    if (!file.startsWith('builtin:')) return file === '' ? null : path(file);
    const wanted = file.slice('builtin:'.length);
    const known = bundledNames(folder);
    if (!known.includes(wanted)) problems.push(`${name}: ${unknownName(folder.slice(0, -1), wanted, known)}`);
    return file;
  };
  const anything = /^[^]{1,4096}$/;
  // Secrets may hold anything, and are never shown.
  const secret = (name: string, fallback: string): string => text(name, fallback, anything, 'up to 4,096 characters');

  const faults = (given('SIMULATOR_FAULTS') ?? '').split(',').flatMap((part): string[] => {
    const name = part.trim();
    if (name === '') return [];
    const kind = faultKind(name);
    if (typeof kind === 'string') problems.push(`SIMULATOR_FAULTS: ${kind}`);
    else if (kind.course === 'once') {
      problems.push(`SIMULATOR_FAULTS: ${name} happens at once, when nobody is connected yet; have it in a scenario`);
    } else return [name];
    return [];
  });
  const freshnessMinutes = number('SIMULATOR_FRESHNESS_MINUTES', 0, 0, 1_440, false);
  const readyFile = text('SIMULATOR_READY_FILE', '', anything, 'a path');
  const world = fileOrBuiltin('SIMULATOR_WORLD', 'worlds');
  const limits = choice('SIMULATOR_LIMITS', 'on', ['on', 'off']) === 'on';
  const connectionLimits: ConnectionLimits = {
    connections: number('SIMULATOR_MAX_CONNECTIONS', CONNECTION_LIMITS.connections ?? 0, 1, 100_000),
    clientsOfGroup: number('SIMULATOR_MAX_GROUP_CLIENTS', CONNECTION_LIMITS.clientsOfGroup ?? 0, 1, 100_000),
    connectsPerMinute: number('SIMULATOR_CONNECTS_PER_MINUTE', CONNECTION_LIMITS.connectsPerMinute ?? 0, 1, 100_000),
  };
  const groupLimits: GroupLimits = {
    groupsOfProduct: number('SIMULATOR_MAX_PRODUCT_GROUPS', GROUP_LIMITS.groupsOfProduct ?? 0, 1, 100_000),
    groupsOfAccount: number('SIMULATOR_MAX_GROUPS', GROUP_LIMITS.groupsOfAccount ?? 0, 1, 100_000),
  };
  const rules = PLATFORM_RULES;
  const delivery: DeliveryRules = {
    realtimePerSecond: number('SIMULATOR_REALTIME_RATE', rules.realtimePerSecond ?? 0, 1, 1_000_000),
    backlogPerSecond: number('SIMULATOR_BACKLOG_RATE', rules.backlogPerSecond ?? 0, 1, 1_000_000),
    retryAfterMs: number('SIMULATOR_RETRY_MINUTES', rules.retryAfterMs / MINUTE_MS, 0.001, 1_440, false) * MINUTE_MS,
    roundMs: number('SIMULATOR_ROUND_MINUTES', rules.roundMs / MINUTE_MS, 0.001, 1_440, false) * MINUTE_MS,
    perRound: number('SIMULATOR_ROUND_MESSAGES', rules.perRound ?? 0, 1, 1_000_000),
    slowAfterMs: number('SIMULATOR_SLOW_AFTER_MS', rules.slowAfterMs, 10, 3_600_000),
    retentionMs:
      number('SIMULATOR_RETENTION_HOURS', rules.retentionMs / (60 * MINUTE_MS), 0.001, 8_760, false) * 60 * MINUTE_MS,
    maxQueued: number('SIMULATOR_QUEUE_MESSAGES', rules.maxQueued, 1, 100_000_000),
    maxQueuedBytes: number('SIMULATOR_QUEUE_MIB', rules.maxQueuedBytes / MIB, 1, 1_000_000) * MIB,
    settlingMs: number('SIMULATOR_SETTLING_MINUTES', rules.settlingMs / MINUTE_MS, 0, 1_440, false) * MINUTE_MS,
  };
  const settings: Omit<Settings, 'unknown'> = {
    host: text('SIMULATOR_HOST', '127.0.0.1'),
    port: number('SIMULATOR_PORT', 5_672, 0, 65_535),
    tlsPort: number('SIMULATOR_TLS_PORT', 5_671, 0, 65_535),
    dataDir: path(text('SIMULATOR_DATA_DIR', 'data/simulator', anything, 'a path')),
    readyFile: readyFile === '' ? null : path(readyFile),
    living: {
      appKey: text('SIMULATOR_APP_KEY', DEMO_LIVING.appKey),
      appSecret: secret('SIMULATOR_APP_SECRET', DEMO_LIVING.appSecret),
    },
    enterprise: {
      instanceId: text('SIMULATOR_INSTANCE_ID', DEMO_ENTERPRISE.instanceId),
      accessKeyId: text('SIMULATOR_ACCESS_KEY_ID', DEMO_ENTERPRISE.accessKeyId),
      accessKeySecret: secret('SIMULATOR_ACCESS_KEY_SECRET', DEMO_ENTERPRISE.accessKeySecret),
      consumerGroupId: text('SIMULATOR_CONSUMER_GROUP_ID', DEMO_ENTERPRISE.consumerGroupId),
    },
    sts: {
      accessKeyId: text('SIMULATOR_STS_ACCESS_KEY_ID', DEMO_STS.accessKeyId),
      accessKeySecret: secret('SIMULATOR_STS_ACCESS_KEY_SECRET', DEMO_STS.accessKeySecret),
      securityToken: text('SIMULATOR_STS_SECURITY_TOKEN', DEMO_STS.securityToken, /^[^|,\s]{1,4096}$/),
    },
    freshnessWindowMs: freshnessMinutes === 0 ? null : freshnessMinutes * 60_000,
    freshRandom: choice('SIMULATOR_FRESH_RANDOM', 'off', ['on', 'off']) === 'on',
    world: world === null ? null : worldFile(world),
    setupTimeoutMs: number('SIMULATOR_SETUP_TIMEOUT_MS', 15_000, 10, 3_600_000),
    minIdleTimeoutMs: number('SIMULATOR_MIN_IDLE_TIMEOUT_MS', 30_000, 1, 3_600_000),
    maxIdleTimeoutMs: number('SIMULATOR_MAX_IDLE_TIMEOUT_MS', 300_000, 1, 3_600_000),
    connectionLimits: limits ? connectionLimits : NO_CONNECTION_LIMITS,
    groupLimits: limits ? groupLimits : NO_GROUP_LIMITS,
    devices: number('SIMULATOR_DEVICES', 12, 1, 100_000),
    rate: number('SIMULATOR_RATE', 5, 0, 100_000, false),
    seed: text('SIMULATOR_SEED', '1', anything, 'up to 4,096 characters'),
    flavour: choice('SIMULATOR_FLAVOUR', 'both', ['living', 'enterprise', 'both']),
    faults: [...new Set(faults)],
    scenario: fileOrBuiltin('SIMULATOR_SCENARIO', 'scenarios'),
    limits,
    ackTimeoutMs: number('SIMULATOR_ACK_TIMEOUT_MS', 30_000, 10, 3_600_000),
    delivery: limits ? delivery : withoutLimits(delivery),
    queues: choice('SIMULATOR_QUEUES', 'memory', ['memory', 'disk']),
    timeScale: number('SIMULATOR_TIME_SCALE', 1, 1, 10_000, false),
    startAt: instant('SIMULATOR_START_AT'),
    logged: number('SIMULATOR_LOG_MESSAGES', 20_000, 0, 10_000_000),
    loggedBytes: number('SIMULATOR_LOG_MIB', 32, 1, 4_096) * 1_024 * 1_024,
    control: {
      host: text('SIMULATOR_CONTROL_HOST', '127.0.0.1'),
      port: portOrOff('SIMULATOR_CONTROL_PORT', 5_680),
      token: secret('SIMULATOR_CONTROL_TOKEN', '') || null,
    },
    mqtt: {
      port: portOrOff('SIMULATOR_MQTT_PORT', 1_883),
      tlsPort: portOrOff('SIMULATOR_MQTT_TLS_PORT', 8_883),
      minKeepAliveSeconds: number('SIMULATOR_MQTT_MIN_KEEP_ALIVE', 30, 1, 1_200),
      scanMs: number('SIMULATOR_MQTT_SCAN_MS', 30_000, 10, 3_600_000),
    },
    parentPid: number('SIMULATOR_PARENT_PID', 0, 0, 2 ** 31) || null,
  };
  if (settings.port !== 0 && settings.port === settings.tlsPort) {
    problems.push('SIMULATOR_PORT and SIMULATOR_TLS_PORT must differ');
  }
  const { control, mqtt } = settings;
  if (mqtt.port !== null && mqtt.port !== 0 && mqtt.port === mqtt.tlsPort) {
    problems.push('SIMULATOR_MQTT_PORT and SIMULATOR_MQTT_TLS_PORT must differ');
  }
  if (control.port !== null && control.token === null && !isLoopback(control.host)) {
    problems.push(
      'SIMULATOR_CONTROL_TOKEN must be set when SIMULATOR_CONTROL_HOST is no loopback address: who reaches the control API reads device secrets and ends connections',
    );
  }
  if (settings.minIdleTimeoutMs > settings.maxIdleTimeoutMs) {
    problems.push('SIMULATOR_MIN_IDLE_TIMEOUT_MS must not be above SIMULATOR_MAX_IDLE_TIMEOUT_MS');
  }
  if (problems.length > 0) throw new BadSettings(problems.join('; '));
  const names = [...asked].map((name) => name.slice(PREFIX.length).toLowerCase());
  const unknown = Object.entries(env)
    .filter(([name, value]) => name.startsWith(PREFIX) && value !== undefined && value !== '' && !asked.has(name))
    .map(([name]) => {
      const near = nearestName(name.slice(PREFIX.length), names);
      return near === null
        ? `${name} is no setting`
        : `${name} is no setting; did you mean ${PREFIX}${near.toUpperCase()}?`;
    });
  return { ...settings, unknown };
}

/** The accounts of a world, or those that these settings describe: one Living app, one Enterprise instance. */
export function accountsOf(settings: Settings, ofWorld: Accounts | null = null): Accounts {
  const { living, enterprise, sts, freshnessWindowMs, freshRandom } = settings;
  if (ofWorld) return { ...ofWorld, freshnessWindowMs, freshRandom };
  const { instanceId, accessKeyId, accessKeySecret, consumerGroupId } = enterprise;
  return {
    apps: [living],
    instances: [
      { instanceId, consumerGroupIds: [consumerGroupId], accessKeys: [{ accessKeyId, accessKeySecret }, sts] },
    ],
    freshnessWindowMs,
    freshRandom,
  };
}
