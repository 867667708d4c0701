import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PortUnavailable } from './port-unavailable.js';
import { BadDescription } from './description-file.js';
import { FolderUnavailable } from './folder-unavailable.js';
import { readScenario } from './faults/scenario-file.js';
import { lineLog } from './log.js';
import { accountsOf, BadSettings, readSettings, type Settings } from './settings.js';
import { DEFAULT_GROUP, TenantError } from './platform/tenants.js';
import { QueuesUnavailable } from './platform/disk-queues.js';
import { BadRule } from './rules/rule.js';
import { startSimulator, type Simulator } from './simulator.js';
import { readWorld } from './world.js';

// The platform simulator as a process of its own: `npm run simulator`. Settings are SIMULATOR_* variables.

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const log = lineLog((line) => process.stdout.write(line));
  for (const problem of settings.unknown) log.warn('a setting is passed over', { reason: problem });
  const world =
    settings.world === null ? null : readWorld(settings.world, settings.groupLimits, accountsOf(settings, null));
  const fleet = { ...settings, ...world?.fleet };
  // One left behind by a killed simulator would send others to a port where nobody listens.
  if (settings.readyFile !== null) await prepare(settings.readyFile);
  const simulator = await startSimulator({
    host: settings.host,
    plainPort: settings.port,
    tlsPort: settings.tlsPort,
    dataDir: settings.dataDir,
    accounts: accountsOf(settings, world?.accounts ?? null),
    seed: settings.seed,
    limits: settings.limits,
    setupTimeoutMs: settings.setupTimeoutMs,
    minIdleTimeoutMs: settings.minIdleTimeoutMs,
    maxIdleTimeoutMs: settings.maxIdleTimeoutMs,
    connectionLimits: settings.connectionLimits,
    groupLimits: settings.groupLimits,
    ackTimeoutMs: settings.ackTimeoutMs,
    ...settings.delivery,
    queues: settings.queues,
    timeScale: settings.timeScale,
    ...(settings.startAt === null ? {} : { startAt: settings.startAt }),
    onFailure: (failure) => {
      process.stderr.write(`simulator stopped: ${failure.message}\n`);
      process.exit(1);
    },
    logged: settings.logged,
    loggedBytes: settings.loggedBytes,
    controlPort: settings.control.port,
    controlHost: settings.control.host,
    controlToken: settings.control.token,
    mqttPort: settings.mqtt.port,
    mqttTlsPort: settings.mqtt.tlsPort,
    mqttMinKeepAliveSeconds: settings.mqtt.minKeepAliveSeconds,
    mqttScanMs: settings.mqtt.scanMs,
    fleet,
    ...(world?.products ? { products: world.products } : {}),
    ...(world ? { rules: world.rules } : {}),
    faults: settings.faults,
    ...(settings.scenario === null ? {} : { scenario: readScenario(settings.scenario) }),
    log,
  }).catch((error: unknown) => {
    throw error instanceof BadRule && world ? world.wrongRule(error.part, error.message) : error;
  });
  stopWhenAsked(simulator, settings);
  if (settings.readyFile !== null) await writeReadyFile(settings.readyFile, simulator);
  log.info('listening', {
    amqps: `${simulator.host}:${simulator.tlsPort}`,
    amqp: `${simulator.host}:${simulator.plainPort}`,
    ca: simulator.caFile ?? '',
  });
  if (simulator.mqttPort !== null || simulator.mqttTlsPort !== null) {
    const at = (port: number | null): string => (port === null ? 'off' : `${simulator.host}:${port}`);
    log.info('devices may connect', { mqtt: at(simulator.mqttPort), mqtts: at(simulator.mqttTlsPort) });
  }
  if (simulator.controlPort !== null) log.info('view', { url: viewUrl(settings.control.host, simulator.controlPort) });
  log.info('virtual devices are sending', {
    devices: simulator.virtualDevices,
    messagesPerSecond: fleet.rate,
    seed: fleet.seed,
    ...(settings.world !== null && world?.products ? { world: settings.world } : { flavour: settings.flavour }),
    faults: settings.faults.join(',') || 'none',
    scenario: settings.scenario ?? 'none',
  });
  if (settings.flavour === 'both' && !world?.products) {
    log.info('Living and Enterprise messages are mixed so that one consumer sees every kind; see SIMULATOR_FLAVOUR');
  }
}

/** What to open in a browser of this machine. */
function viewUrl(host: string, port: number): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}

function stopWhenAsked(simulator: Simulator, { readyFile, parentPid }: Settings): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    void (async () => {
      if (readyFile !== null) await rm(readyFile, { force: true });
      await simulator.stop();
      process.exit(0);
    })();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  if (parentPid !== null) {
    setInterval(() => {
      if (!isAlive(parentPid)) stop();
    }, 500).unref();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Makes the way for a ready file, so that one that cannot be written is known before anything starts. */
async function prepare(readyFile: string): Promise<void> {
  try {
    await mkdir(dirname(readyFile), { recursive: true });
    await writeFile(`${readyFile}.new`, '', { mode: 0o600 });
    for (const file of [readyFile, `${readyFile}.new`]) await rm(file, { force: true });
  } catch (error) {
    throw new FolderUnavailable('The ready file', readyFile, 'SIMULATOR_READY_FILE', error);
  }
}

/**
 * What a local consumer needs to connect, as JSON: the first Living app and the first Enterprise instance, or null. For its
 * owner only, since it names secrets. Appears whole.
 */
async function writeReadyFile(path: string, simulator: Simulator): Promise<void> {
  const { apps, instances } = simulator.accounts;
  const [instance] = instances;
  const key = instance?.accessKeys.find(({ securityToken, mayConsume }) => !securityToken && mayConsume !== false);
  const content = {
    pid: process.pid,
    plainPort: simulator.plainPort,
    tlsPort: simulator.tlsPort,
    caFile: simulator.caFile,
    controlPort: simulator.controlPort,
    mqttPort: simulator.mqttPort,
    mqttTlsPort: simulator.mqttTlsPort,
    appKey: apps[0]?.appKey ?? null,
    appSecret: apps[0]?.appSecret ?? null,
    enterprise:
      instance && key
        ? {
            instanceId: instance.instanceId,
            accessKeyId: key.accessKeyId,
            accessKeySecret: key.accessKeySecret,
            consumerGroupId: instance.consumerGroupIds[0] ?? DEFAULT_GROUP,
          }
        : null,
  };
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

try {
  await main();
} catch (error) {
  const known = [BadSettings, PortUnavailable, BadDescription, TenantError, QueuesUnavailable, FolderUnavailable].some(
    (kind) => error instanceof kind,
  );
  const text = error instanceof Error ? ((known ? undefined : error.stack) ?? error.message) : String(error);
  process.stderr.write(`simulator cannot start: ${text}\n`);
  process.exit(1);
}
